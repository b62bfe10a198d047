// Package catalog knows the models of this machine by name: the one that is
// built in, those in the hub's cache, and folders that the user has named in
// the configuration file.
package catalog
