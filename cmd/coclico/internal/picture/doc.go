// Package picture reads and writes picture files for the command.
package picture
