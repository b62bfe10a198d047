package evaluate

import (
	"fmt"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/format"
	"github.com/coclico/coclico/codec/quant"
)

// The color maps of the paper's Figures 4, 5 and 6.
var (
	mapSizes  = []int{4, 8, 16, 32}
	colorBits = []int{1, 2, 3, 4}
)

// The paper's map, which one number is varied of at a time.
const (
	paperSize = 8
	paperBits = 2
)

// strengths are those of the sweep of t_start.
var strengths = []float64{0.5, 0.6, 0.7, 0.8, 0.88, 0.95, 1}

// budgets are those of the tuned profile in the plots of rates.
var budgets = []int{60, 80, 150, 250, 400}

// examples is the number of pictures that figures paint, unless they paint the
// color maps of all.
const examples = 16

func mapName(n, bits int) string {
	if bits == 1 {
		return fmt.Sprintf("%d x %d, 1 bit", n, n)
	}
	return fmt.Sprintf("%d x %d, %d bits", n, n, bits)
}

func mapID(n, bits int) string       { return fmt.Sprintf("map-%d-%d", n, bits) }
func strengthID(s float64) string    { return fmt.Sprintf("strength-%.2f", s) }
func budgetID(bytes int) string      { return fmt.Sprintf("tuned-%d", bytes) }
func rasterID(side, qp int) string   { return fmt.Sprintf("vvc-%d-qp%d", side, qp) }
func isExampleMap(n, bits int) bool  { return n == paperSize || bits == paperBits }
func (e *Evaluation) rasters() []int { return []int{e.Size / 4, e.Size / 2, e.Size} }

// finerQPs are those of VVC at full size in the plots of rates.
var finerQPs = []int{55, 47}

// figureRows are what the figures show besides the table's rows.
func (e *Evaluation) figureRows() []row {
	var rows []row
	add := func(r row) {
		r.figure, r.pictures = true, examples
		rows = append(rows, r)
	}
	fixed := func(o codec.EncodeOptions) func(*task) (codec.EncodeOptions, error) {
		return func(*task) (codec.EncodeOptions, error) { return o, nil }
	}
	for _, n := range mapSizes {
		for _, bits := range colorBits {
			if e.Paint || isExampleMap(n, bits) {
				o := codec.EncodeOptions{Format: codec.Format{DimensionBits: 1, MapSize: n, ColorBits: bits}}
				add(e.ownRow(mapID(n, bits), "map of "+mapName(n, bits), fixed(o)))
				if e.Paint {
					rows[len(rows)-1].pictures = 0
				}
			}
		}
	}
	for _, s := range strengths {
		sampling := codec.DefaultSampling(codec.Paper)
		sampling.Strength = s
		add(e.ownRow(strengthID(s), fmt.Sprintf("strength %.2f", s), fixed(codec.EncodeOptions{Sampling: &sampling})))
	}
	for _, bytes := range budgets {
		add(e.ownRow(budgetID(bytes), fmt.Sprintf("CoCliCo, %d bytes", bytes), fixed(codec.EncodeOptions{Profile: codec.Tuned, Bytes: bytes})))
	}
	v := e.tools.vvc()
	for _, side := range e.rasters() {
		add(e.vvcRow(v, rasterID(side, worstQP), fmt.Sprintf("VVC at %d, QP %d", side, worstQP), worstQP, e.fixed(side)))
	}
	for _, qp := range finerQPs {
		add(e.vvcRow(v, rasterID(e.Size, qp), fmt.Sprintf("VVC, QP %d", qp), qp, e.fixed(e.Size)))
	}
	return rows
}

// A mapPoint is a color map of one picture without its painting.
type mapPoint struct {
	n, bits      int
	error        float64 // mean square, at 32 x 32
	bytes        float64 // as the entropy coder writes it
	tuned        float64 // error of the tuned profile's map
	tunedBytes   float64
	nominalBytes float64 // the paper's R = 1.5 b n^2 bits
}

// mapPoints returns all maps of a picture.
func mapPoints(p *Picture) []mapPoint {
	target := p.map32()
	score := func(rgb []float32, n int) float64 {
		return quant.Score(quant.Upsample(rgb, n, quant.ScoreSide, quant.ScoreSide), target)
	}
	var points []mapPoint
	for _, n := range mapSizes {
		averaged := quant.NewPlanes(p.RGB, p.Side, p.Side, n, true)
		for _, bits := range colorBits {
			codes := p.colorMap(n, bits)
			tuned, r := quant.QuantizeTunedColor(averaged, bits)
			points = append(points, mapPoint{
				n: n, bits: bits, nominalBytes: 1.5 * float64(bits*n*n) / 8,
				error:      score(quant.DequantizePaperColor(codes, n, bits), n),
				bytes:      quant.CodedBits(codes, format.Paper, n, bits) / 8,
				tuned:      score(quant.DequantizeTunedColor(tuned, r, n, bits), n),
				tunedBytes: (quant.CodedBits(tuned, format.Tuned, n, bits) + 3*format.RangeBits) / 8,
			})
		}
	}
	return points
}

// colorMap returns the codes of the paper's map of a picture.
func (p *Picture) colorMap(n, bits int) format.ColorMap {
	return quant.QuantizePaperColor(quant.NewPlanes(p.RGB, p.Side, p.Side, n, false), n, bits)
}

// mapPicture returns the paper's map of a picture, each pixel as a square, at
// about side pixels.
func (p *Picture) mapPicture(n, bits, side int) *Picture {
	rgb := quant.DequantizePaperColor(p.colorMap(n, bits), n, bits)
	scale := max(side/n, 1)
	q := &Picture{n * scale, make([]byte, n*scale*n*scale*3)}
	for i := range q.Side * q.Side {
		at := i/q.Side/scale*n + i%q.Side/scale
		for c, v := range rgb[3*at : 3*at+3] {
			q.RGB[3*i+c] = byte(255*v + 0.5)
		}
	}
	return q
}
