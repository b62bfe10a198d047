package picture

import (
	"bytes"
	"io"
)

// Programs that look for pictures that nobody took look for IPTC's digital source type, in XMP: in a PNG under the keyword
// xmpKey (XMP specification part 3, 1.1.5), in a JPEG in an APP1 segment that begins with xmpSegment (1.1.3).
const (
	xmpKey     = "XML:com.adobe.xmp"
	xmpSegment = "http://ns.adobe.com/xap/1.0/\x00"
	xmpPacket  = "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" ` +
		`Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>` +
		`</rdf:RDF></x:xmpmeta><?xpacket end="r"?>`
)

// Ours reports whether a file may be a picture that this package wrote, with notes: a PNG or JPEG that says so, a WebP of the
// only kind that is written, which cannot say it.
func Ours(r io.Reader) bool {
	head, err := io.ReadAll(io.LimitReader(r, 3<<16)) // two segments of a JPEG
	if err != nil || len(head) < Sniffed {
		return false
	}
	if string(head[8:16]) == "WEBPVP8L" {
		return true
	}
	jpeg, png := string(head[:2]) == "\xff\xd8", string(head[:8]) == pngSignature
	return (jpeg || png) && bytes.Contains(head, []byte(xmpPacket))
}
