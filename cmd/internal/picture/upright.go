package picture

import "image"

// upright turns a picture that was held so. Most are a camera's JPEG, of three
// planes, which are turned one by one; turned does the rest, pixel by pixel and
// slowly.
func upright(img image.Image, held int) image.Image {
	if held == 1 {
		return img
	}
	if ycbcr, ok := img.(*image.YCbCr); ok {
		if out := turnPlanes(ycbcr, held); out != nil {
			return out
		}
	}
	return turned{img, held}
}

// turnPlanes returns nil for what it cannot turn exactly: subsampling that has no
// transpose, and an odd side, whose mirror would shift the chroma by half a sample.
func turnPlanes(img *image.YCbCr, held int) *image.YCbCr {
	ratio := img.SubsampleRatio
	if held >= 5 {
		switch ratio {
		case image.YCbCrSubsampleRatio422:
			ratio = image.YCbCrSubsampleRatio440
		case image.YCbCrSubsampleRatio440:
			ratio = image.YCbCrSubsampleRatio422
		}
	}
	across, down := 1, 1 // pixels of a chroma sample
	switch img.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
	case image.YCbCrSubsampleRatio422:
		across = 2
	case image.YCbCrSubsampleRatio440:
		down = 2
	case image.YCbCrSubsampleRatio420:
		across, down = 2, 2
	default:
		return nil
	}
	b := img.Bounds()
	if w, h := b.Dx(), b.Dy(); w%across != 0 || h%down != 0 || b.Min != (image.Point{}) {
		return nil
	}
	out := image.NewYCbCr(turned{img, held}.Bounds(), ratio)
	w, h := b.Dx(), b.Dy()
	turnPlane(out.Y, out.YStride, img.Y, img.YStride, w, h, held)
	turnPlane(out.Cb, out.CStride, img.Cb, img.CStride, w/across, h/down, held)
	turnPlane(out.Cr, out.CStride, img.Cr, img.CStride, w/across, h/down, held)
	return out
}

// turnPlane writes w x h samples of src to dst, turned.
func turnPlane(dst []uint8, dstStride int, src []uint8, srcStride, w, h, held int) {
	// Sample (x, y) of dst is src[at + x*right + y*down], as in turned.At.
	at, right, down := 0, 1, srcStride
	if held == 2 || held == 3 || held == 7 || held == 8 {
		at, right = w-1, -1
	}
	if held == 3 || held == 4 || held == 6 || held == 7 {
		at, down = at+(h-1)*srcStride, -srcStride
	}
	if held >= 5 {
		right, down = down, right
		w, h = h, w
	}
	for y := range h {
		row := dst[y*dstStride:][:w]
		i := at + y*down
		for x := range row {
			row[x] = src[i]
			i += right
		}
	}
}
