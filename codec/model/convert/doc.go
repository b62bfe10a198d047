// Package convert makes of a model's folder a smaller one that the codec reads
// just as well: weights in float16, each part in one file under today's names,
// without parts that are not needed, with a constant in the place of the text
// encoder. What it makes is a diffusers folder still.
package convert
