package kernels

import (
	"math"
	"unsafe"
)

// A gemm may have a loop of its own for attention, which computes the scores,
// the softmax and the weighted values of different keys at the same time. It
// works on units of fusedRows queries and blocks of fusedKeys keys, for heads of 33
// to 64 channels. A stage computes the scores of one unit and block, the softmax
// of what the stage before had, and the weighted values of what the stage before
// that had. At the two ends it works on memory that nobody reads, so that no stage
// is special.
//
// Everything is transposed: a row holds one key's scores of all queries, so that
// maxima and sums belong to lanes of a vector, and none is taken across one.
// Keys and the transposed values are left factors, whose tiles are read once for
// all of a unit's queries; queries and probabilities are right factors.
//
//	Sᵀ = K Qᵀ;  Pᵀ = exp(Sᵀ-m);  Oᵀ += Vᵀ Pᵀ
//
// A unit's queries and output, two blocks of scores and of probabilities are 36 KB
// of the 48 of L1, so a unit stays for fusedBlocks blocks, which L2 holds together,
// until the next unit takes its turn with them:
//
//	keys 0-1023: queries 0-31, 32-63, ...; keys 1024-2047: queries 0-31, ...
//
// Loads of keys and values tell the processor that their lines are not needed
// again soon.
//
// The softmax of a unit rescales in place what there is of its queries: the sum,
// the output and the probabilities that are not yet multiplied with values. It does
// so only if a score exceeds the maximum so far by more than fusedSlack:
// probabilities up to 2^8 do no harm, since rounding is relative and they are
// divided by their sum in the end. Otherwise a new maximum of any of 32 queries
// would rescale all of them, in most blocks of 9216 keys.
//
// bench/RESULTS.md has what this is worth, and what bounds it.
const (
	fusedRows   = 32
	fusedKeys   = 64 // divides keyBlock
	fusedDim    = 64
	fusedSlack  = 8
	fusedBlocks = 16 // of keys
	fusedUnits  = 8  // of queries that share them

	tileBytes = 16 * stepBytes
)

// An attendStage locates its three units. The assembly knows this layout.
type attendStage struct {
	queries, keys, scores              unsafe.Pointer // scores [key][query] = keys queriesᵀ
	from, probs, max, sum, rescale     unsafe.Pointer // probs = softmax of from
	probsBefore, values, weightedValue unsafe.Pointer // weightedValue [dim][query] += valuesᵀ probsBefore
}

// An attendBlock is a run of stages. The assembly knows this layout.
type attendBlock struct {
	stages *attendStage
	n      int
	panel  uintptr        // bytes between the first and the last 32 dimensions of values
	nobody unsafe.Pointer // 32x32 results that nobody reads
	scale  float32
}

// fusible returns the number of keys that the gemm's own loop takes. Few keys are
// left to the others: two stages of each block of queries work for nobody.
func (t *attentionTask) fusible() int {
	if t.g.attend == nil || t.causal || t.kSteps != 2 || t.vPanels != 2 || t.lk < 4*fusedKeys {
		return 0
	}
	return t.lk / fusedKeys * fusedKeys
}

// packFused packs fusedKeys keys and values of one head in tiles of 16 lines,
// which take the place of the panels of as many keys: for 32 keys, two tiles of
// either 16 keys, with 32 dimensions each, and two tiles of 16 dimensions, with
// 32 keys each, in either panel of values.
func (t *attentionTask) packFused(image, head, first int) {
	h := image*t.heads + head
	k, v := t.k.Op, t.val.Op
	keys := t.keys[h*t.keyHeadBytes+first*2*stepBytes:][:fusedKeys*2*stepBytes]
	if raceEnabled {
		raceRead(k.ptr(0, image*t.lk+first, t.k.Col+head*t.dim), k.pitch, fusedKeys, 2*t.dim)
		raceRead(v.ptr(0, image*t.lk+first, t.val.Col+head*t.dim), v.pitch, fusedKeys, 2*t.dim)
	}
	for i := range fusedKeys {
		src := unsafe.Slice((*byte)(k.ptr(0, image*t.lk+first+i, t.k.Col+head*t.dim)), 2*t.dim)
		to := keys[i/16*2*tileBytes+i%16*stepBytes:]
		copy(to[:stepBytes], src)
		clear(to[tileBytes+copy(to[tileBytes:], src[stepBytes:]) : tileBytes+stepBytes])
	}
	// The loop's output has fusedDim dimensions: those beyond t.dim are of whatever
	// follows in the line, and nobody reads them.
	for p := range 2 {
		values := t.values[h*t.valueBytes+(p*t.vSteps+first/32)*t.stepB:]
		for i := 0; i < fusedKeys; i += 16 {
			src := v.ptr(0, image*t.lk+first+i, t.val.Col+head*t.dim+32*p)
			to := unsafe.Pointer(&values[i/32*t.stepB+i%32*2])
			t.v.transposeWords(to, stepBytes, tileBytes, src, v.pitch, 2)
		}
	}
}

// packQueries packs a unit of queries in four tiles, of 32 dimensions and of 16
// queries each, with pairs of dimensions side by side. It reads whole units:
// operands have readable lines after their last. After rows queries the lanes
// become zero. They would be queries of the next picture, whose scores may
// rescale, and so round, all of the unit.
func (t *attentionTask) packQueries(to []byte, line, rows, head int) {
	q := t.q.Op
	for i := range 2 {
		src := q.ptr(0, line+16*i, t.q.Col+head*t.dim)
		if raceEnabled {
			raceRead(src, q.pitch, 16, 2*t.dim)
		}
		t.v.transpose(unsafe.Pointer(&to[i*tileBytes]), stepBytes, 2*tileBytes, src, q.pitch, 2)
		if n := max(0, rows-16*i); n < 16 {
			for l := range 32 { // 16 of either tile
				line := to[(i+l/16*2)*tileBytes+l%16*stepBytes:][:stepBytes]
				clear(line[4*n:])
			}
		}
	}
}

// A fusedMemory is what stages work on: two units of scores and of
// probabilities; and of every unit of queries, and of one that nobody reads, the
// packed queries, the maximum, the sum and the output.
type fusedMemory struct {
	scores [2][fusedKeys * fusedRows]float32
	probs  [2][fusedKeys * fusedRows]uint16
	units  [fusedUnits + 1]fusedUnit
}

type fusedUnit struct {
	output   [fusedDim * fusedRows]float32 // [dim][query]
	queries  [4 * tileBytes]byte
	max, sum [fusedRows]float32
}

// fused computes what attend's loop computes for the keys before t.fusedTo.
func (t *attentionTask) fused(s *scratch, b *softmaxBlock, o []float32, first, rows, head, image, kh int) {
	m := (*fusedMemory)(unsafe.Pointer(&grow(&s.fused, int(unsafe.Sizeof(fusedMemory{})))[0]))
	units := m.units[:(rows+fusedRows-1)/fusedRows]
	for u := range units {
		unit := &units[u]
		clear(unit.output[:])
		clear(unit.sum[:])
		for i := range unit.max {
			unit.max[i] = float32(math.Inf(-1))
		}
		t.packQueries(unit.queries[:], image*t.lq+first+u*fusedRows, min(rows-u*fusedRows, fusedRows), head)
	}
	nobody := &m.units[fusedUnits]
	t.stage(s, m, units, nobody, kh)
	s.attend = attendBlock{&s.stages[0], len(s.stages), uintptr(t.vSteps * t.stepB), unsafe.Pointer(&nobody.output), b.scale}
	t.g.attend(&s.attend)
	largest, sum := unsafe.Slice(b.max, rows), unsafe.Slice(b.sum, rows)
	for r := 0; r < rows; r += fusedRows {
		unit := &m.units[r/fusedRows]
		copy(largest[r:], unit.max[:])
		copy(sum[r:], unit.sum[:])
		for d := 0; d < fusedDim; d += 16 {
			from, to := unsafe.Pointer(&unit.output[d*fusedRows]), unsafe.Pointer(&o[r*fusedDim+d])
			t.v.transpose(to, 4*fusedDim, 16*4*fusedDim, from, 4*fusedRows, fusedRows/16)
		}
	}
}

// stage lists the stages of some units of queries and all of their keys.
func (t *attentionTask) stage(s *scratch, m *fusedMemory, units []fusedUnit, nobody *fusedUnit, kh int) {
	type turn struct {
		unit  *fusedUnit
		block int
	}
	keys, values := unsafe.Pointer(&t.keys[kh*t.keyHeadBytes]), unsafe.Pointer(&t.values[kh*t.valueBytes])
	idle := turn{nobody, 0}
	softmax, weigh := idle, idle // the turns of the stages before
	s.stages = s.stages[:0]
	add := func(scores turn) {
		i := len(s.stages)
		s.stages = append(s.stages, attendStage{
			queries: unsafe.Pointer(&scores.unit.queries),
			keys:    unsafe.Add(keys, scores.block*fusedKeys*2*stepBytes),
			scores:  unsafe.Pointer(&m.scores[i%2]),
			from:    unsafe.Pointer(&m.scores[(i+1)%2]),
			probs:   unsafe.Pointer(&m.probs[(i+1)%2]),
			max:     unsafe.Pointer(&softmax.unit.max), sum: unsafe.Pointer(&softmax.unit.sum), rescale: unsafe.Pointer(&softmax.unit.output),
			probsBefore:   unsafe.Pointer(&m.probs[i%2]),
			values:        unsafe.Add(values, weigh.block*fusedKeys/32*t.stepB),
			weightedValue: unsafe.Pointer(&weigh.unit.output),
		})
		softmax, weigh = scores, softmax
	}
	blocks := t.fusedTo / fusedKeys
	for first := 0; first < blocks; first += fusedBlocks {
		for u := range units {
			for block := first; block < min(first+fusedBlocks, blocks); block++ {
				add(turn{&units[u], block})
			}
		}
	}
	add(idle)
	add(idle)
}
