package kernels

// finishPanels stores some panels, size elements apart, of positions [pos, pos+n),
// a few rows of all of them at a time.
func (t *productTask) finishPanels(c []float32, size, image, pos, n, panel, panels int) {
	for r := 0; r < n; r += finishRows {
		for p := range panels {
			t.finish(c[p*size+r*t.w.g.nr:], image, pos+r, min(finishRows, n-r), panel+p)
		}
	}
}

// finish stores one panel of positions [pos, pos+n): the pixels among them, one
// row at a time.
func (t *productTask) finish(c []float32, image, pos, n, panel int) {
	nr := t.w.g.nr
	if t.a.Pad == 0 && len(t.e.Bias) <= t.w.shape.Out {
		t.finishRun(c, 0, pos, n, panel)
		return
	}
	// Row r of the run holds the pixels at positions r*pitch + [0,outW). It
	// counts on over all pictures if they form one run.
	for p := pos; p < pos+n; {
		r, x := p/t.pitch, p%t.pitch
		m := min(t.outW-x, pos+n-p)
		img, y := t.imageRow(image, r)
		if m > 0 && y < t.outH {
			t.finishRun(c[(p-pos)*nr:], img, (img*t.outH+y)*t.outW+x, m, panel)
		}
		p = min(pos+n, (r+1)*t.pitch)
	}
}

// imageRow returns the picture that row r of a run belongs to, and which of its
// rows that is.
func (t *productTask) imageRow(image, r int) (int, int) {
	switch {
	case t.a.Pad == 0:
		return r, 0
	case t.runs == 1:
		return r / (t.a.H + 1), r % (t.a.H + 1)
	}
	return image, r
}

// finishRun stores rows [row, row+n) of one panel's columns of the result.
func (t *productTask) finishRun(c []float32, image, row, n, panel int) {
	nr, out := t.w.g.nr, t.w.Out()
	if t.w.shape.GEGLU {
		t.finishGEGLU(c, row, n, panel)
		return
	}
	col := panel * nr
	cols := min(nr, out-col)
	var bias, res *float32
	if t.e.Bias != nil {
		if len(t.e.Bias) == out {
			image = 0
		}
		bias = &t.e.Bias[image*out+col]
	}
	if t.e.Act != Identity {
		t.v.finish(&c[0], nr, &c[0], nr, n, cols, bias, nil, 0)
		t.v.activate(c[:n*nr], t.e.Act)
		bias = nil
	}
	if t.op != nil {
		if bias != nil {
			t.v.finish(&c[0], nr, &c[0], nr, n, cols, bias, nil, 0)
		}
		t.op.store(row, col, c, nr, n, cols)
		return
	}
	first, ld := row*out+col, out
	if t.up {
		// Every second pixel of a row of twice the width.
		y, x := row/t.outW, row%t.outW
		first, ld = ((2*y+t.py)*2*t.outW+2*x+t.px)*out+col, 2*out
	}
	last := first + (n-1)*ld + cols - 1
	if t.e.Residual != nil {
		res = &t.e.Residual[first]
		_ = t.e.Residual[last]
	}
	_ = t.dst[last]
	t.v.finish(&t.dst[first], ld, &c[0], nr, n, cols, bias, res, ld)
}

// finishGEGLU stores value * GELU(gate). Half of a panel is values, half gates.
func (t *productTask) finishGEGLU(c []float32, row, n, panel int) {
	nr, out := t.w.g.nr, t.w.Out()
	half := nr / 2
	col := panel * half
	cols := min(half, out-col)
	if t.e.Bias != nil {
		t.v.finish(&c[0], nr, &c[0], nr, n, cols, &t.e.Bias[col], nil, 0)
		t.v.finish(&c[half], nr, &c[half], nr, n, cols, &t.e.Bias[out+col], nil, 0)
	}
	t.v.gate(&c[0], nr, n, half)
	if t.op != nil {
		t.op.store(row, col, c, nr, n, cols)
		return
	}
	t.v.finish(&t.dst[row*out+col], out, &c[0], nr, n, cols, nil, nil, 0)
}
