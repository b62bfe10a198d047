//go:build !unix

package serve

func raiseFileLimit() {}

func fileLimit() int { return 512 }
