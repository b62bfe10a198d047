package picture

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
)

// Programs that look for pictures that nobody took look for IPTC's digital source
// type, in XMP: in a PNG under the keyword xmpKey (XMP specification part 3,
// 1.1.5), in a JPEG in an APP1 segment that begins with xmpSegment (1.1.3), in a
// WebP in a chunk of its own, which holds the notes too.
const (
	xmpKey     = "XML:com.adobe.xmp"
	xmpSegment = "http://ns.adobe.com/xap/1.0/\x00"
	xmpPacket  = xmpStart + "/>" + xmpEnd

	xmpStart = "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" ` +
		`Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"`
	xmpEnd = `</rdf:RDF></x:xmpmeta><?xpacket end="r"?>`
)

// xmpWithNotes returns xmpPacket with the notes as the picture's description.
func xmpWithNotes(notes []Note) string {
	var b strings.Builder
	b.WriteString(xmpStart + ` xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">`)
	_ = xml.EscapeText(&b, []byte(lines(notes))) // a strings.Builder takes everything
	b.WriteString(`</rdf:li></rdf:Alt></dc:description></rdf:Description>` + xmpEnd)
	return b.String()
}

// Ours reports whether a file may be a picture that this package wrote with
// notes: one that says that it was generated.
func Ours(r io.ReadSeeker) bool {
	head, err := io.ReadAll(io.LimitReader(r, 3<<16)) // two segments of a JPEG
	switch {
	case err != nil:
		return false
	case bytes.HasPrefix(head, []byte("RIFF")):
		return strings.HasPrefix(readWebPXMP(r), xmpStart)
	case bytes.HasPrefix(head, []byte("\xff\xd8")), bytes.HasPrefix(head, []byte(pngSignature)):
		return bytes.Contains(head, []byte(xmpPacket))
	}
	return false
}
