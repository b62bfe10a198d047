package tokenizer

// A symbol is the id of a word of the vocabulary that is a piece of a text's
// word.
type symbol int32

// A pair of neighbors that may be merged.
type pair struct{ left, right symbol }

// A merge is what becomes of a pair: those of low rank are merged first.
type merge struct {
	rank int32
	to   symbol
}

// appendWord appends the tokens of a word of at least one byte: those of its
// bytes, merged.
//
// Every pair of neighbors that can be merged is in a heap, by its rank and then
// its place; a merge makes at most two new pairs. A pair whose symbols have
// become others in the meantime is skipped.
func (t *Tokenizer) appendWord(ids []int, word string) []int {
	symbols := make([]piece, len(word))
	for i := range symbols {
		symbols[i] = piece{t.byteToken[word[i]], int32(i - 1), int32(i + 1)}
	}
	last := len(word) - 1
	symbols[last].symbol = t.lastToken[word[last]]
	var pairs heap
	push := func(at int32) {
		if at < 0 {
			return
		}
		if next := symbols[at].next; int(next) < len(symbols) {
			if m, ok := t.merges[pair{symbols[at].symbol, symbols[next].symbol}]; ok {
				pairs.push(uint64(m.rank)<<32 | uint64(at))
			}
		}
	}
	for i := range symbols {
		push(int32(i))
	}
	for len(pairs) > 0 {
		top := pairs.pop()
		at := int32(top & (1<<32 - 1))
		next := symbols[at].next
		if symbols[at].symbol < 0 || int(next) >= len(symbols) {
			continue
		}
		m, ok := t.merges[pair{symbols[at].symbol, symbols[next].symbol}]
		if !ok || uint64(m.rank) != top>>32 {
			continue
		}
		after := symbols[next].next
		symbols[at].symbol, symbols[at].next = m.to, after
		symbols[next].symbol = -1
		if int(after) < len(symbols) {
			symbols[after].last = at
		}
		push(symbols[at].last)
		push(at)
	}
	for i := 0; i < len(symbols); i = int(symbols[i].next) {
		ids = append(ids, int(symbols[i].symbol))
	}
	return ids
}

// A piece is a symbol in the list of a word's symbols.
type piece struct {
	symbol     symbol // -1 after it was merged into the one before
	last, next int32  // indices of its neighbors
}

// A heap has its least number first.
type heap []uint64

func (h *heap) push(v uint64) {
	a := append(*h, v)
	i := len(a) - 1
	for i > 0 && a[(i-1)/2] > v {
		a[i] = a[(i-1)/2]
		i = (i - 1) / 2
	}
	a[i] = v
	*h = a
}

func (h *heap) pop() uint64 {
	a := *h
	top, v := a[0], a[len(a)-1]
	a = a[:len(a)-1]
	*h = a
	i := 0
	for {
		child := 2*i + 1
		if child >= len(a) {
			break
		}
		if child+1 < len(a) && a[child+1] < a[child] {
			child++
		}
		if a[child] >= v {
			break
		}
		a[i] = a[child]
		i = child
	}
	if len(a) > 0 {
		a[i] = v
	}
	return top
}
