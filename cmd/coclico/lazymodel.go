package main

import (
	"fmt"
	"path/filepath"
	"sync"

	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/model"
)

// A lazyModel is the codec of a model that is opened when it is first needed, once for all files.
type lazyModel struct {
	flag string // as --model has it

	once  sync.Once
	codec *codec.Codec
	name  string // and fingerprint: what tells it from other models in what a picture says
	err   error
}

func (l *lazyModel) open() (*codec.Codec, error) {
	l.once.Do(func() {
		folder, err := openFolder(l.flag)
		if err != nil {
			l.err = err
			return
		}
		l.name = filepath.Base(folder.Name())
		if print, err := model.Fingerprint(folder); err == nil { // an encoder alone may have none
			l.name += fmt.Sprintf(" %08x", print)
		}
		l.codec = codec.New(folder)
	})
	return l.codec, l.err
}

func (l *lazyModel) close() {
	if l.codec != nil {
		l.codec.Close()
	}
}
