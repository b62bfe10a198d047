// Package entropy says how probable each symbol of a .coclico file is, in integers, and codes it with package rangecoder:
// the samples of the colour map by their neighbours, the codes of the CLIP vector by the statistics that the model has of
// each dimension. Package codec's comment is the specification; the tables, which are part of it, are in tables.go, made by
// the program in fit.
package entropy

//go:generate go run ./fit -train $COCLICO_TRAIN -o tables.go
