package picture

import "slices"

// HEIC is read only by a program built with -tags nodynamic, by libheif and libde265 compiled to WebAssembly
// (github.com/gen2brain/heic, run by wazero). The tag is that package's own: without it, it also looks for a libheif on the
// machine, and to that end even a program without cgo is linked with the C library - no static binary, and no build for
// 386 or riscv64. Go sets a tag for a whole build only, so the build decides. It costs 2.6 MB, and the two libraries are
// under the LGPL, which binds who passes such a program on.

// isHEIC reports whether a file that begins so is one.
func isHEIC(head []byte) bool {
	return len(head) >= 12 && string(head[4:8]) == "ftyp" && slices.Contains(heicBrands(), string(head[8:12]))
}

func heicBrands() []string { return []string{"heic", "heix", "heim", "heis", "mif1"} }

const noHEIC = "a HEIC picture, which this program was built without: build it with -tags nodynamic, or convert the picture to JPEG"
