// Package catalog finds the models on this machine by name: the built-in one,
// those in the hub's cache, and folders that the user has named in the
// configuration file.
package catalog
