package bucket

import (
	"encoding/hex"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"gocloud.dev/blob"
)

// etag returns what a store says about an object's content, without quotes.
func etag(o *blob.ListObject) string {
	var s3 types.Object
	if o.As(&s3) && s3.ETag != nil {
		return strings.Trim(*s3.ETag, `"`)
	}
	return hex.EncodeToString(o.MD5)
}
