package serve

import (
	"fmt"
	"net/http"
)

// A serverJSON describes the server.
type serverJSON struct {
	Version string       `json:"version"`
	Kernels string       `json:"kernels"`
	Model   modelJSON    `json:"model"`
	Limits  limitsJSON   `json:"limits"`
	Archive *archiveJSON `json:"archive,omitempty"`
}

type modelJSON struct {
	Name        string `json:"name"`
	BuiltIn     bool   `json:"builtin"`
	ID          string `json:"id,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Encodes     bool   `json:"encodes"`
	Decodes     bool   `json:"decodes"`
	Prompts     bool   `json:"prompts"`
	Size        int    `json:"size"`
}

type limitsJSON struct {
	Body        int64 `json:"body_bytes"`
	Pixels      int   `json:"pixels"`
	Size        int   `json:"size"`
	Candidates  int   `json:"candidates"`
	Queue       int   `json:"queue"`
	ClientQueue int   `json:"client_queue"`
	Keep        int   `json:"keep_seconds"`
}

type archiveJSON struct {
	Rows  int64 `json:"rows"`
	Words bool  `json:"words"`
}

// info answers GET /v1/info.
func (s *Server) info(w http.ResponseWriter, _ *http.Request) error {
	m, l := s.Model, s.Limits
	v := serverJSON{
		Version: s.Version, Kernels: s.kernels,
		Model:  modelJSON{Name: m.Name, BuiltIn: m.BuiltIn, Encodes: m.Encodes, Decodes: m.Decodes, Prompts: m.Prompts, Size: m.Side},
		Limits: limitsJSON{l.Body, l.Pixels, l.Size, l.Candidates, l.Queue, l.ClientQueue, int(l.Keep.Seconds())},
	}
	if m.Fingerprint != 0 {
		v.Model.ID, v.Model.Fingerprint = m.ID.String(), fmt.Sprintf("%08x", m.Fingerprint)
	}
	if s.Archive != nil {
		v.Archive = &archiveJSON{s.Archive.rows(), s.Archive.Words != nil}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, "application/json", http.StatusOK, v)
	return nil
}

// document answers GET /openapi.yaml.
func document(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, err := w.Write(Document)
	return err
}
