package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coclico/coclico/cmd/internal/admin"
	"github.com/coclico/coclico/cmd/internal/catalog"
	"github.com/coclico/coclico/cmd/internal/files"
	"github.com/coclico/coclico/cmd/internal/guard"
	"github.com/coclico/coclico/cmd/internal/logging"
	"github.com/coclico/coclico/cmd/internal/options"
	"github.com/coclico/coclico/cmd/internal/process"
	"github.com/coclico/coclico/cmd/internal/serve"
	"github.com/coclico/coclico/cmd/internal/terminal"
	"github.com/coclico/coclico/codec"
	"github.com/coclico/coclico/codec/archive"
	"github.com/coclico/coclico/weights"
)

// adminOff is the --admin of a server without one.
const adminOff = "off"

func serveCmd(f *files.IO, s *terminal.Screen) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Encode, paint and search over HTTP, with a page for browsers",
		Long: `Serve answers HTTP requests: it encodes pictures, paints files, and with
--archive searches an archive. Its address shows a page that does all of that,
and /openapi.yaml describes the API. Other commands may add to the archive
meanwhile: it is opened again.

It serves this machine alone, at 127.0.0.1, unless --listen names another
address. That needs --token-file, for everyone who can reach it could use it,
and --tls-cert and --tls-key, for others could read what is sent. Browsers send
the token as a password, with any user name. Behind a proxy, or under a name,
--allow-host names the host.

Pictures are encoded at once, some at a time. One picture is painted at a time;
others wait in a queue that goes round the clients. A painted picture is kept
for --keep. What requests can take is limited, and an answer to one that takes
more names the limit.

SIGTERM and Ctrl-C stop the server within 30 seconds: a painting that is nearly
done is finished, others are canceled, and who watches them is told.

--admin is another address, for /healthz, /readyz, Prometheus /metrics and
/debug/pprof. The log is JSON, or text on a terminal, and has no names of files.
The server does not wait for who reads it: what is not read in time is lost, and
the log then tells how much.
` + builtInHelp,
		Example: `  coclico serve
  coclico serve --archive A --model my-model
  coclico serve --listen 0.0.0.0:7788 --token-file token \
    --tls-cert cert.pem --tls-key key.pem --allow-host pictures.example`,
		Args: noArgs,
	}
	o := serveFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		process.OutliveReaders()
		log := logging.NewWriter(s.Err)
		if s.Watched() {
			defer log.Close()
		} else {
			s.Err = log // the last complaint, too, must not wait for who reads; run closes it
		}
		policy, err := o.guard.Policy()
		if errors.As(err, new(guard.FlagError)) {
			return usageError{Err: err}
		}
		if err != nil {
			return err
		}
		o.config.Token, o.config.Log = policy.Token, logging.New(log, o.level)
		o.config.Limits.Body, o.config.Limits.KeepBytes = int64(*o.maxBody), int64(*o.keepBytes)
		o.config.Limits.PictureMemory, o.config.Limits.OnePicture = process.Share(serve.PictureMemory), process.Memory()
		return o.run(cmd.Context(), f, s, policy)
	}
	return cmd
}

// A serving is what a run of serve was asked for.
type serving struct {
	listen, admin, archive string
	model                  *string
	maxBody, keepBytes     *int
	guard                  *guard.Flags
	level                  *slog.LevelVar
	config                 serve.Config
}

func serveFlags(cmd *cobra.Command) *serving {
	flags := cmd.Flags()
	o := &serving{guard: guard.AddFlags(flags), level: logging.Flag(flags)}
	complete(cmd, "log-level", logging.Levels...)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:7788", "`address` to serve at")
	flags.StringVar(&o.admin, "admin", "127.0.0.1:7789", "`address` of health, metrics and profiles, or "+adminOff)
	flags.StringVar(&o.archive, "archive", "", "an `archive` to show and search")
	o.model = modelFlag(cmd)
	guard.AddHosts(flags, &o.config.AllowHosts, "`name` by which the server may be called, besides localhost and its address")
	flags.BoolVar(&o.config.LowMemory, "low-memory", false, "paint the same pictures with less memory, more slowly")
	o.maxBody = options.Whole(flags, "max-body", 64<<20, 1, math.MaxInt32, "bytes of a picture file")
	o.keepBytes = options.Whole(flags, "keep-bytes", 256<<20, 1, math.MaxInt32, "bytes of painted pictures that are kept")
	limitFlags(flags, &o.config.Limits)
	return o
}

// limitFlags adds flags of what clients can make the server do.
func limitFlags(flags *pflag.FlagSet, l *serve.Limits) {
	options.WholeVar(flags, &l.Pixels, "max-pixels", 100_000_000, 1, 1<<28, "pixels of a picture to encode")
	options.WholeVar(flags, &l.Size, "max-size", 1024, 8, codec.MaxSize, "pixels of the longer side of a painting")
	options.WholeVar(flags, &l.Candidates, "max-candidates", 16, 1, codec.MaxCandidates, "candidates of an encode")
	options.WholeVar(flags, &l.Queue, "queue", 16, 1, 10_000, "paintings that may wait")
	options.WholeVar(flags, &l.ClientQueue, "client-queue", 0, 0, 10_000, "paintings of one client that may wait (default half of --queue)")
	options.DurationVar(flags, &l.Keep, "keep", time.Hour, time.Second, 365*24*time.Hour, "`time` for which a painted picture is kept")
}

// run serves until the context ends.
func (o *serving) run(ctx context.Context, f *files.IO, s *terminal.Screen, policy guard.Policy) error {
	operator := admin.New(version(), o.config.Log)
	o.config.Version, o.config.Registry = build(), operator.Registry()
	shelf := &shelf{flag: *o.model}
	defer shelf.close()
	m, err := shelf.choose()
	if o.archive != "" {
		q := &query{files: f, screen: s, shelf: shelf}
		if err := q.open(ctx, o.archive); err != nil {
			return err
		}
		m = q.model // the archive's, if the user named none
		words := o.serveArchive(ctx, q)
		defer o.config.Archive.Close()
		if words != nil {
			defer words.Close()
		}
		if q.archive.Manifest().Overlap() > archive.MaxOverlap {
			return files.Named(o.archive, archive.ErrOverlap) // its gallery could not be listed
		}
	}
	if err != nil {
		return err
	}
	if err := o.open(shelf, m); err != nil {
		return err
	}
	server, err := serve.New(o.config)
	if err != nil {
		return err
	}
	listener, err := guard.Listen(ctx, o.listen, policy)
	if err != nil {
		return fmt.Errorf("--listen %w", err)
	}
	adminAt := adminOff
	if o.admin != adminOff {
		other, err := admin.Listen(ctx, o.admin, false)
		if err != nil {
			listener.Close()
			return fmt.Errorf("--admin %w; --admin %s does without", err, adminOff)
		}
		adminAt = other.Addr().String()
		// It answers until the server has stopped.
		background, stop := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan error, 1)
		go func() { ended <- operator.Serve(background, other) }()
		defer func() {
			stop()
			<-ended
		}()
	}
	operator.SetReady(nil)
	defer context.AfterFunc(ctx, func() { operator.SetReady(errors.New("stopping")) })()
	scheme := "http"
	if policy.TLS != nil {
		scheme = "https"
	}
	o.config.Log.Info("serving", "url", fmt.Sprintf("%s://%v/", scheme, listener.Addr()), "admin", adminAt, "model", o.config.Model.Name, "version", version())
	if o.config.Model.BuiltIn {
		s.Note("%s", builtInNote)
	}
	return server.Serve(ctx, listener)
}

// open opens the model.
func (o *serving) open(shelf *shelf, m *shelved) error {
	c, err := shelf.use(m)
	if err != nil {
		return err
	}
	d := m.catalog.Describe(m.Model)
	if d.Problem != "" {
		return files.Named(m.Name, errors.New(d.Problem))
	}
	if !d.Encodes && !d.Decodes {
		return files.Named(m.Name, errors.New("has neither the encoder's half nor the decoder's"))
	}
	folder, err := m.catalog.Open(m.Model)
	if err != nil {
		return err
	}
	defer folder.Close()
	o.config.Model = serve.Model{
		Codec: c, Name: m.Name, Label: m.label, ID: m.id, Fingerprint: m.print, BuiltIn: m.Kind == catalog.KindBuiltIn,
		Encodes: d.Encodes, Decodes: d.Decodes, Side: m.side,
		Prompts: folder.Has(weights.TextEncoder) && folder.Has(weights.Tokenizer),
	}
	return nil
}

// again opens the archive once more, as another process has left it.
func (q *query) again(ctx context.Context, dir string) (_ *serve.View, err error) {
	a, err := openArchive(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	if a.Manifest().Fingerprint != q.archive.Manifest().Fingerprint {
		return nil, files.Named(dir, errors.New("is of another model now: start the server again"))
	}
	set, err := openSet(ctx, q.screen, a, dir, q.prior)
	return &serve.View{Rows: a, Set: set}, err
}

// serveArchive adds an archive to what is served. It returns the reader of words,
// nil if words cannot be searched for.
func (o *serving) serveArchive(ctx context.Context, q *query) reader {
	o.config.Archive = serve.NewArchive(&serve.View{Rows: q.archive, Set: q.set}, func(ctx context.Context) (*serve.View, error) {
		return q.again(ctx, o.archive)
	})
	o.config.Archive.Prior = q.prior
	words, err := q.reader(ctx)
	if err != nil {
		q.screen.Note("words cannot be searched for: %v", err)
		return nil
	}
	o.config.Archive.Words = words.Direction
	return words
}
