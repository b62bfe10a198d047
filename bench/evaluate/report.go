package evaluate

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
)

// A Report is the table of an evaluation with its notes, pictures and figures.
type Report struct {
	Title     string
	Facts     []string // what was evaluated, a sentence each
	Columns   []Column
	Lines     []Line
	Notes     []string // of rows: "VVC, QP 63: ..."
	Absent    []string // rows and metrics that the machine lacks, and how to get them
	Problems  []Problem
	Published []Published
	Synthetic bool // scores are of weights that were not trained

	evaluated int     // the number of pictures
	pictures  []shown // for the HTML report, the first of them
	figures   []figure
}

// A Column is a quantity.
type Column struct {
	Name      string
	Better    string // an arrow, "" where neither direction is better
	Digits    int
	Synthetic bool
}

// A Line is a row of the table.
type Line struct {
	Name  string
	Of    string // "7 of 8" if some pictures are missing
	Cells []Cell
}

// A Cell is a mean over pictures, and the 95 % interval of that mean.
type Cell struct {
	Known           bool
	Mean, Low, High float64
	Interval        bool // Low and High are known
}

// order is that of the metrics in the table; others follow.
var order = []string{"DBCNN", "MUSIQ", "color", "CLIP d", "PSNR", "MS-SSIM", "LPIPS-vgg", "LPIPS-alex", "DISTS", "CMMD-224", "aesthetics"}

func sortMetrics(metrics []Metric) {
	rank := func(m Metric) int {
		if i := slices.Index(order, m.Name); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(metrics, func(a, b Metric) int { return cmp.Compare(rank(a), rank(b)) })
}

// report makes the report of the records.
func (e *Evaluation) report() (*Report, error) {
	r := &Report{
		Title: fmt.Sprintf("%s at %d x %d", counted(len(e.tasks), "picture"), e.Size, e.Size),
		Facts: []string{
			fmt.Sprintf("Pictures: %s, %d x %d pixels each.", e.Set.Rule, e.Size, e.Size),
			fmt.Sprintf("Model: %s, which paints %d x %d pixels by itself; coclico %s.", e.Model, e.Side, e.Side, e.Version),
			"Bytes are whole files, with their headers. A number is a mean over pictures, ± half the width of its 95 % bootstrap interval.",
			"Seconds of programs include starting them and reading and writing picture files. Memory is the peak of the process, CoCliCo's with this program.",
		},
		Problems: e.problems, Published: published(), evaluated: len(e.tasks),
	}
	for _, m := range e.metrics {
		r.Synthetic = r.Synthetic || m.Synthetic
		if m.Weights != "" && m.Missing == "" {
			r.Facts = append(r.Facts, fmt.Sprintf("Weights of %s: %s", m.Name, m.Weights))
		}
		switch {
		case m.Missing != "":
			r.Absent = append(r.Absent, m.Name+": "+m.Missing)
		case m.Set != nil && len(e.tasks) < m.AtLeast:
			r.Absent = append(r.Absent, fmt.Sprintf("%s: needs %s", m.Name, counted(m.AtLeast, "picture")))
		}
	}
	r.Columns = e.columns()
	for i := range e.rows {
		row := &e.rows[i]
		switch {
		case row.figure:
			continue
		case row.absent != "":
			r.Absent = append(r.Absent, row.name+": "+row.absent)
			continue
		case row.note != "":
			r.Notes = append(r.Notes, row.name+": "+row.note)
		}
		r.Lines = append(r.Lines, e.line(row))
	}
	r.pictures = e.shown()
	if !e.Figures {
		return r, nil
	}
	var err error
	r.figures, err = e.figures(r)
	return r, err
}

// counted returns a number of things: "1 picture", "2 pictures".
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// measures are the columns besides metrics.
var measures = []struct {
	Column
	of func(r *Record, side int) (float64, bool)
}{
	{Column{Name: "bytes", Digits: 0}, func(r *Record, _ int) (float64, bool) { return float64(r.Bytes), r.Bytes > 0 }},
	{Column{Name: "bpp", Digits: 4}, func(r *Record, side int) (float64, bool) {
		return 8 * float64(r.Bytes) / float64(side*side), r.Bytes > 0
	}},
	{Column{Name: "encode s", Digits: 3}, func(r *Record, _ int) (float64, bool) { return r.EncodeSeconds, r.EncodeSeconds > 0 }},
	{Column{Name: "decode s", Digits: 3}, func(r *Record, _ int) (float64, bool) { return r.DecodeSeconds, r.DecodeSeconds > 0 }},
	{Column{Name: "MiB", Digits: 0}, func(r *Record, _ int) (float64, bool) { return r.MemoryMiB, r.MemoryMiB > 0 }},
}

// sizes is how many of measures stand before the metrics.
const sizes = 2

func (e *Evaluation) columns() []Column {
	var c []Column
	for _, m := range measures[:sizes] {
		c = append(c, m.Column)
	}
	for _, m := range e.metrics {
		name := m.Name
		if m.Unit != "" {
			name += " " + m.Unit
		}
		c = append(c, Column{name, m.Better.String(), m.Digits, m.Synthetic})
	}
	for _, m := range measures[sizes:] {
		c = append(c, m.Column)
	}
	return c
}

// line returns a row of the table.
func (e *Evaluation) line(row *row) Line {
	l := Line{Name: row.name}
	records := e.of(row.id)
	if n := len(records); n < len(e.tasks) {
		l.Of = fmt.Sprintf("%d of %d", n, len(e.tasks))
	}
	measured := func(of func(r *Record, side int) (float64, bool)) Cell {
		var values []float64
		for _, r := range records {
			if v, ok := of(r, e.Size); ok {
				values = append(values, v)
			}
		}
		return mean(values)
	}
	for _, m := range measures[:sizes] {
		l.Cells = append(l.Cells, measured(m.of))
	}
	for i := range e.metrics {
		l.Cells = append(l.Cells, e.cell(&e.metrics[i], records))
	}
	for _, m := range measures[sizes:] {
		l.Cells = append(l.Cells, measured(m.of))
	}
	return l
}

// of returns a row's records that are no errors, in the order of the pictures.
func (e *Evaluation) of(id string) []*Record {
	var records []*Record
	for _, t := range e.tasks {
		if r := t.records[id]; r != nil && r.Error == "" {
			records = append(records, r)
		}
	}
	return records
}

// cell returns a metric of a row.
func (e *Evaluation) cell(m *Metric, records []*Record) Cell {
	if m.Missing != "" {
		return Cell{}
	}
	if m.Set == nil {
		var values []float64
		for _, r := range records {
			if v, ok := r.Scores[m.key()]; ok {
				values = append(values, v)
			}
		}
		return mean(values)
	}
	if len(records) < m.AtLeast || records[0].Row == inputID {
		return Cell{}
	}
	var refs, pictures [][]float32
	for _, t := range e.tasks {
		if r := t.records[records[0].Row]; r != nil && r.Error == "" && t.vector != nil {
			refs, pictures = append(refs, t.vector), append(pictures, r.Vector)
		}
	}
	if len(refs) < m.AtLeast {
		return Cell{}
	}
	v := m.Set(refs, pictures)
	return Cell{Known: true, Mean: v, Low: v, High: v}
}

// resamples is the number of the bootstrap's samples.
const resamples = 2000

// mean returns a mean and its interval: that of the middle 95 % of means of
// samples of the values. The seed is fixed: equal values give equal cells.
func mean(values []float64) Cell {
	if len(values) == 0 {
		return Cell{}
	}
	c := Cell{Known: true, Mean: stat.Mean(values, nil)}
	if c.Low, c.High = c.Mean, c.Mean; len(values) < 2 {
		return c
	}
	random := rand.New(rand.NewPCG(1, 2))
	means, sample := make([]float64, resamples), make([]float64, len(values))
	for i := range means {
		for k := range sample {
			sample[k] = values[random.IntN(len(values))]
		}
		means[i] = stat.Mean(sample, nil)
	}
	slices.Sort(means)
	c.Low, c.High = stat.Quantile(0.025, stat.Empirical, means, nil), stat.Quantile(0.975, stat.Empirical, means, nil)
	c.Interval = true
	return c
}

// Text returns a cell's number: "-" for a missing one, with ± and half the
// interval's width if there is one.
func (c Column) Text(v Cell) string {
	switch {
	case !v.Known:
		return "-"
	case v.Interval && v.High-v.Low > 0:
		return fmt.Sprintf("%.*f ± %.*f", c.Digits, v.Mean, c.Digits, (v.High-v.Low)/2)
	}
	return fmt.Sprintf("%.*f", c.Digits, v.Mean)
}

// Heading returns a column's name with its arrow, and what it is not to be
// taken for.
func (c Column) Heading() string {
	parts := []string{c.Name}
	if c.Better != "" {
		parts = append(parts, c.Better)
	}
	if c.Synthetic {
		parts = append(parts, "(synthetic)")
	}
	return strings.Join(parts, " ")
}

// cells returns the texts of a line.
func (r *Report) cells(l Line) []string {
	name := l.Name
	if l.Of != "" {
		name += " (" + l.Of + ")"
	}
	texts := []string{name}
	for i, c := range l.Cells {
		text := r.Columns[i].Text(c)
		if r.Columns[i].Synthetic && c.Known {
			text += " synthetic"
		}
		texts = append(texts, text)
	}
	return texts
}

// warning is what a report of synthetic scores begins and ends with.
const warning = "SYNTHETIC: scores in columns marked synthetic are of weights made by a law, not trained. They mean nothing."
