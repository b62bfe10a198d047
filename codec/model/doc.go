// Package model opens the parts of a diffusers folder of Stable unCLIP: it
// reads each part's configuration, builds its network over the weights, and
// checks that they fit, the file against the configuration and the parts
// against each other.
//
// Each part is opened when it is first asked for, and once. A part that is
// never asked for is not looked at, so that a picture is encoded with a folder
// that has the image encoder alone.
package model
