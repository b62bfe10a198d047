package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/coclico/coclico/codec"
)

// A problem is an error as clients get it (RFC 9457).
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Parameter string `json:"parameter,omitempty"`

	retry int // seconds after which it may be gone, 0 if it will not
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

// A kind is a type of problem.
type kind struct {
	name   string
	status int
	title  string
	retry  int
}

var (
	notFound        = kind{"not-found", http.StatusNotFound, "Not found", 0}
	badMethod       = kind{"method", http.StatusMethodNotAllowed, "Not a method of this path", 0}
	badParameter    = kind{"parameter", http.StatusBadRequest, "A parameter is wrong", 0}
	badMediaType    = kind{"media-type", http.StatusUnsupportedMediaType, "Not the media type of this body", 0}
	badBody         = kind{"body", http.StatusBadRequest, "The body could not be read", 0}
	slowBody        = kind{"slow", http.StatusRequestTimeout, "The body came too slowly", 0}
	bodyTooLarge    = kind{"body-too-large", http.StatusRequestEntityTooLarge, "The body is too large", 0}
	pictureTooLarge = kind{"picture-too-large", http.StatusRequestEntityTooLarge, "The picture is too large", 0}
	badPicture      = kind{"picture", http.StatusUnprocessableEntity, "Not a picture that can be encoded", 0}
	badFile         = kind{"file", http.StatusUnprocessableEntity, "Not a file that can be read", 0}
	otherModel      = kind{"model", http.StatusUnprocessableEntity, "A file of another model", 0}
	badPrompt       = kind{"prompt", http.StatusUnprocessableEntity, "The model cannot read prompts", 0}
	notDone         = kind{"not-done", http.StatusConflict, "There is no picture", 0}
	queueFull       = kind{"queue-full", http.StatusTooManyRequests, "The queue is full", 5}
	clientQueueFull = kind{"client-queue-full", http.StatusTooManyRequests, "The client's part of the queue is full", 5}
	busy            = kind{"busy", http.StatusServiceUnavailable, "Too much is going on", 1}
	littleMemory    = kind{"memory", http.StatusServiceUnavailable, "There is too little memory", 0}
	halfModel       = kind{"half-model", http.StatusNotImplemented, "The model is half a model", 0}
	clientLeft      = kind{"client-left", 499, "The client left", 0} // a status of nginx, and of no standard
	stopping        = kind{"shutdown", http.StatusServiceUnavailable, "The server is stopping", 10}
	internal        = kind{"internal", http.StatusInternalServerError, "An error of the server", 0}
)

func (k kind) problem(format string, args ...any) *problem {
	return &problem{Type: "urn:coclico:problem:" + k.name, Title: k.title, Status: k.status, Detail: fmt.Sprintf(format, args...), retry: k.retry}
}

// of returns a problem about a parameter.
func (p *problem) of(parameter string) *problem {
	p.Parameter = parameter
	return p
}

func (p *problem) write(w http.ResponseWriter) {
	h := w.Header()
	for _, name := range []string{"Content-Length", "ETag", "Content-Disposition"} { // of the answer that this one replaces
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	writeJSON(w, "application/problem+json", p.Status, p)
}

func writeJSON(w http.ResponseWriter, mediaType string, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // an error means that the client left
}

// problemOf returns the problem that an error of the codec is to a client, or
// nil if it is the server's own.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	var option codec.OptionError
	switch {
	case errors.As(err, &option):
		return badParameter.problem("%s", option).of(parameterOf(option))
	case errors.As(err, new(*codec.ModelError)):
		return otherModel.problem("%v; any_model decodes it all the same", err)
	case errors.As(err, new(codec.FormatError)):
		return badFile.problem("%v", err)
	case errors.As(err, new(codec.UnsupportedError)):
		return badFile.problem("%v", err)
	case errors.As(err, new(codec.PromptError)):
		return badPrompt.problem("%v", err)
	case errors.As(err, new(codec.MemoryError)):
		return littleMemory.problem("%v", err)
	case errors.Is(err, codec.ErrNoDecoder):
		return halfModel.problem("%v", err)
	}
	return nil
}

// parameterOf returns the parameter that an error of the codec is about.
func parameterOf(err codec.OptionError) string {
	for _, c := range [][2]string{
		{"steps ", "steps"}, {"guidance ", "guidance"}, {"strength ", "strength"}, {"size ", "size"},
		{"noise level ", "noise_level"}, {"budget ", "bytes"}, {"color guidance ", "color_guidance"}, {"prompt ", "prompt"}, {"negative prompt ", "negative_prompt"},
	} {
		if strings.HasPrefix(string(err), c[0]) {
			return c[1]
		}
	}
	return ""
}

// A handler answers a request, or returns why it cannot.
type handler func(w http.ResponseWriter, r *http.Request) error

// answer has a handler's error answered. No error may look like an answer: a
// client may have closed its half of the connection only, and reads on.
func (s *Server) answer(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		p := problemOf(err)
		switch {
		case p != nil:
			if errors.As(err, new(codec.MemoryError)) {
				logged(r).err = err.Error()
			}
		case errors.Is(context.Cause(r.Context()), errStopping):
			p = stopping.problem("there was no time to finish this")
		case r.Context().Err() != nil, errors.Is(err, context.Canceled):
			logged(r).err = "the client left"
			p = clientLeft.problem("the client closed the connection, or its half, before the answer")
		case errors.Is(err, os.ErrDeadlineExceeded):
			logged(r).err = "the client reads too slowly"
			p = clientLeft.problem("the client reads too slowly")
		default:
			logged(r).err, logged(r).internal = err.Error(), true
			p = internal.problem("the server's log says more, request %s", logged(r).id)
		}
		if begun, ok := w.(*response); ok && begun.status != 0 {
			panic(http.ErrAbortHandler) // the part of an answer must not look like the whole
		}
		p.write(w)
	}
}

// panicked returns the error of a panic whose value is being recovered, with its
// place, for the log. A value that has come from another goroutine has a place
// already, which tells more than this one.
func panicked(value any) error {
	text := fmt.Sprintf("panic: %v", value)
	if !strings.Contains(text, "\ngoroutine ") {
		text += "\n" + string(debug.Stack())
	}
	return errors.New(text)
}
