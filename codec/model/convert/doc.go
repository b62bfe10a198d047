// Package convert turns a model's folder into a smaller one with which the
// codec does the same: weights in float16, each part in one file under current
// names, without the parts that are not needed, and with a constant instead of
// the text encoder. The result is a diffusers folder still.
package convert
