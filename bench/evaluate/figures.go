package evaluate

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot/vg/draw"
)

// sheetRows is the number of pictures on a contact sheet.
const sheetRows = 5

// figures draws all figures.
func (e *Evaluation) figures(r *Report) ([]figure, error) {
	all := []func() (figure, error){
		func() (figure, error) {
			return e.mapSheet("figure4", "Figure 4: bits of a color sample", func(i int) (n, bits int) { return paperSize, colorBits[i] })
		},
		func() (figure, error) {
			return e.mapSheet("figure5", "Figure 5: sizes of the color map", func(i int) (n, bits int) { return mapSizes[i], paperBits })
		},
		e.figure6, e.strengthPlots, e.contactSheet,
	}
	for i := range e.metrics {
		all = append(all, func() (figure, error) { return e.ratePlot(r, i) })
	}
	var figures []figure
	for _, draw := range all {
		f, err := draw()
		if err != nil {
			return nil, err
		}
		if f.svg != nil {
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// pictureOf reads the picture that a row decoded, nil if it has none.
func (e *Evaluation) pictureOf(t *task, id string) (*Picture, error) {
	r := t.records[id]
	if r == nil || r.Error != "" {
		return nil, nil
	}
	path := filepath.Join(e.Out, filepath.FromSlash(r.File))
	p, err := readPNG(path, e.Size)
	if err != nil {
		return nil, spoiled(path, err)
	}
	return p, nil
}

// value returns the mean of a metric over a row's pictures.
func (e *Evaluation) value(id, metric string) (float64, bool) {
	i := slices.IndexFunc(e.metrics, func(m Metric) bool { return m.Name == metric })
	if i < 0 {
		return 0, false
	}
	c := e.cell(&e.metrics[i], e.of(id))
	return c.Mean, c.Known
}

// bytes returns the mean of a row's bytes.
func (e *Evaluation) bytes(id string) (float64, bool) {
	var values []float64
	for _, r := range e.of(id) {
		if r.Bytes > 0 {
			values = append(values, float64(r.Bytes))
		}
	}
	return stat.Mean(values, nil), len(values) > 0
}

// mapSheet is a contact sheet of paintings with their color maps.
func (e *Evaluation) mapSheet(id, title string, setting func(i int) (n, bits int)) (figure, error) {
	s := sheet{columns: []string{"input"}, below: []string{""}}
	for i := range 4 {
		n, bits := setting(i)
		s.columns = append(s.columns, mapName(n, bits))
		color, _ := e.value(mapID(n, bits), "color")
		clip, _ := e.value(mapID(n, bits), "CLIP d")
		bytes, _ := e.bytes(mapID(n, bits))
		s.below = append(s.below, fmt.Sprintf("%.0f bytes\ncolor %.4f\nCLIP d %.3f", bytes, color, clip))
	}
	for _, t := range e.tasks[:min(sheetRows, len(e.tasks))] {
		input, err := e.pictureOf(t, inputID)
		if err != nil || input == nil {
			return figure{}, err
		}
		row := []tile{{picture: input}}
		for i := range 4 {
			n, bits := setting(i)
			p, err := e.pictureOf(t, mapID(n, bits))
			if err != nil {
				return figure{}, err
			}
			row = append(row, tile{p, input.mapPicture(n, bits, 64)})
		}
		s.rows = append(s.rows, row)
	}
	return s.draw(id, title, "paintings with their color maps; means over "+counted(len(e.of(mapID(paperSize, paperBits))), "picture"))
}

// contactSheet shows pictures beside all rows of the table.
func (e *Evaluation) contactSheet() (figure, error) {
	var s sheet
	var ids []string
	for i := range e.rows {
		if r := &e.rows[i]; !r.figure && r.absent == "" {
			ids = append(ids, r.id)
			s.columns = append(s.columns, strings.Replace(r.name, ", ", "\n", 1))
			below := ""
			if n, ok := e.bytes(r.id); ok {
				below = fmt.Sprintf("%.0f bytes", n)
			}
			s.below = append(s.below, below)
		}
	}
	for _, t := range e.tasks[:min(sheetRows, len(e.tasks))] {
		var row []tile
		for _, id := range ids {
			p, err := e.pictureOf(t, id)
			if err != nil {
				return figure{}, err
			}
			row = append(row, tile{picture: p})
		}
		s.rows = append(s.rows, row)
	}
	return s.draw("contact", "Contact sheet", "means of bytes over all pictures")
}

// figure6 plots the error of color maps against their rate.
func (e *Evaluation) figure6() (figure, error) {
	var nominal, real, tuned, painted []point
	var labels []string
	for i, setting := range e.tasks[0].maps {
		var errors, bytes, tunedErrors, tunedBytes []float64
		for _, t := range e.tasks {
			m := t.maps[i]
			errors, bytes = append(errors, m.error), append(bytes, m.bytes)
			tunedErrors, tunedBytes = append(tunedErrors, m.tuned), append(tunedBytes, m.tunedBytes)
		}
		mse := stat.Mean(errors, nil)
		nominal = append(nominal, point{setting.nominalBytes, mse})
		real = append(real, point{stat.Mean(bytes, nil), mse})
		tuned = append(tuned, point{stat.Mean(tunedBytes, nil), stat.Mean(tunedErrors, nil)})
		labels = append(labels, fmt.Sprintf("%d/%d", setting.n, setting.bits))
		if v, ok := e.value(mapID(setting.n, setting.bits), "color"); ok && e.Paint {
			painted = append(painted, point{setting.nominalBytes, v})
		}
	}
	curves := []curve{
		{name: "map, R = 1.5 b n² bits", points: nominal, dots: true, labels: labels, color: colors[0]},
		{name: "its lower convex hull", points: lowerHull(nominal), line: true, color: colors[0]},
		{name: "map, bytes in the file", points: real, dots: true, color: colors[1], shape: draw.TriangleGlyph{}},
		{points: lowerHull(real), line: true, color: colors[1]},
		{name: "map, tuned, bytes in the file", points: tuned, dots: true, color: colors[2], shape: draw.SquareGlyph{}},
		{points: lowerHull(tuned), line: true, color: colors[2]},
	}
	if painted != nil {
		curves = append(curves, curve{name: "painting, R = 1.5 b n² bits", points: painted, dots: true, color: colors[3], shape: draw.PyramidGlyph{}},
			curve{points: lowerHull(painted), line: true, color: colors[3]})
	}
	return charts("figure6", "Figure 6: color maps", "n/b: side and bits of a sample; means over "+counted(len(e.tasks), "picture"), &chart{
		title: "Figure 6: color maps", x: "bytes of the color map", y: "mean square error at 32 x 32", logX: true, curves: curves,
	})
}

// lowerHull returns the lower convex hull of points, from left to right, as far
// as it falls.
func lowerHull(points []point) []point {
	sorted := slices.Clone(points)
	slices.SortFunc(sorted, func(a, b point) int { return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.y, b.y)) })
	var hull []point
	for _, p := range sorted {
		for n := len(hull); n > 1; n = len(hull) {
			a, b := hull[n-2], hull[n-1]
			if (b.x-a.x)*(p.y-a.y)-(b.y-a.y)*(p.x-a.x) > 0 {
				break
			}
			hull = hull[:n-1]
		}
		if n := len(hull); n == 0 || p.y < hull[n-1].y {
			hull = append(hull, p)
		}
	}
	return hull
}

// strengthPlots plots what more steps from t_start cost and gain.
func (e *Evaluation) strengthPlots() (figure, error) {
	var all []*chart
	for i, name := range []string{"color", "CLIP d"} {
		c := curve{line: true, dots: true, color: colors[i]}
		for _, s := range strengths {
			if v, ok := e.value(strengthID(s), name); ok {
				c.points = append(c.points, point{s, v})
			}
		}
		if len(c.points) == 0 {
			return figure{}, nil
		}
		all = append(all, &chart{x: "strength (t_start / T)", y: name, curves: []curve{c}})
	}
	n := len(e.of(strengthID(strengths[0])))
	return charts("strength", "Sweep of t_start", "the paper's profile; means over "+counted(n, "picture"), all...)
}

// ratePlot plots a metric against bytes.
func (e *Evaluation) ratePlot(r *Report, metric int) (figure, error) {
	m := &e.metrics[metric]
	if m.Missing != "" {
		return figure{}, nil
	}
	series := func(name string, c curve, ids ...string) curve {
		c.name, c.dots, c.line = name, true, true
		for _, id := range ids {
			x, ok := e.bytes(id)
			y, known := e.value(id, m.Name)
			if ok && known {
				c.points = append(c.points, point{x, y})
			}
		}
		slices.SortFunc(c.points, func(a, b point) int { return cmp.Compare(a.x, b.x) })
		return c
	}
	var own, vvc []string
	for _, b := range budgets {
		own = append(own, budgetID(b))
	}
	for _, side := range e.rasters() {
		vvc = append(vvc, rasterID(side, worstQP))
	}
	for _, qp := range finerQPs {
		vvc = append(vvc, rasterID(e.Size, qp))
	}
	others := curve{dots: true, color: colors[4], shape: draw.SquareGlyph{}}
	for i := range e.rows {
		row := &e.rows[i]
		x, ok := e.bytes(row.id)
		y, known := e.value(row.id, m.Name)
		if !row.figure && ok && known {
			others.points = append(others.points, point{x, y})
			others.labels = append(others.labels, row.name)
		}
	}
	if len(others.points) == 0 {
		return figure{}, nil
	}
	title := r.Columns[sizes+metric].Heading()
	p := &chart{title: title, x: "bytes of a picture", y: title, logX: true, curves: []curve{
		series("CoCliCo, tuned", curve{color: colors[0]}, own...),
		series("VVC: rasters at QP 63, finer QPs", curve{color: colors[1], shape: draw.TriangleGlyph{}}, vvc...),
		others,
	}}
	id := "rate-" + strings.Trim(notInID.ReplaceAllString(strings.ToLower(m.Name), "-"), "-")
	caption := ""
	if n := len(e.of(budgetID(budgets[0]))); n < len(e.tasks) {
		caption = fmt.Sprintf("curves: means over the first %s; points: over %d", counted(n, "picture"), len(e.tasks))
	}
	return charts(id, "Rate and "+title, caption, p)
}
