//go:build !nodynamic

package picture

func heicFormats() []format { return nil }
