package guard

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func listener(address string) net.Addr {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		panic(err)
	}
	return a
}

func TestHosts(t *testing.T) {
	const (
		here = "127.0.0.1:7788"
		lan  = "192.168.1.5:7788"
		all4 = "0.0.0.0:7788"
		all6 = "[::]:7788"
	)
	for _, test := range []struct {
		listener string
		allow    []string
		host     string
		in       bool
	}{
		// Names and addresses of the loopback interface, with any port.
		{here, nil, "localhost", true},
		{here, nil, "localhost:7788", true},
		{here, nil, "localhost:9000", true}, // a forwarded port
		{here, nil, "LocalHost:7788", true},
		{here, nil, "localhost.:7788", true},
		{here, nil, "localhost.", true},
		{here, nil, "127.0.0.1:7788", true},
		{here, nil, "127.1.2.3", true},
		{here, nil, "[::1]:7788", true},
		{here, nil, "[::1]", true},
		{here, nil, "[0:0:0:0:0:0:0:1]:7788", true},
		{here, nil, "[::ffff:127.0.0.1]:7788", true},
		{here, nil, "[::ffff:7f00:1]", true},
		// What a rebound page, or a mistake, sends.
		{here, nil, "evil.example", false},
		{here, nil, "evil.example:7788", false},
		{here, nil, "localhost.evil.example", false},
		{here, nil, "evil.localhost", false},
		{here, nil, "notlocalhost", false},
		{here, nil, "localhost..", false},
		{here, nil, "127.0.0.1.evil.example:7788", false},
		{here, nil, "192.168.1.5:7788", false},
		{here, nil, "[::ffff:192.168.1.5]:7788", false},
		{here, nil, "0.0.0.0:7788", false},
		{here, nil, "[::]:7788", false},
		{here, nil, "2130706433", false}, // browsers write 127.0.0.1
		{here, nil, "0x7f.1", false},
		{here, nil, "127.1", false},
		// No host.
		{here, nil, "", false},
		{here, nil, ":7788", false},
		{here, nil, ".", false},
		{here, nil, "localhost:", true}, // RFC 3986 allows an empty port
		{here, nil, "localhost:port", false},
		{here, nil, "localhost:7788:7788", false},
		{here, nil, "localhost:778899", false},
		{here, nil, "::1", false},
		{here, nil, "[::1", false},
		{here, nil, "[::1]]", false},
		{here, nil, "[[::1]]", false},
		{here, nil, "[localhost]", false},
		{here, nil, "[127.0.0.1]", false},
		{here, nil, "127.0.0.1]", false},
		{here, nil, "localhost evil", false},
		{here, nil, "localhost/evil", false},
		{here, nil, "evil@localhost", false},
		{here, nil, "localhost@evil", false},
		{here, nil, "localhost\x00", false},
		{here, nil, "локалхост", false},
		// A listener's own address.
		{lan, nil, "192.168.1.5:7788", true},
		{lan, nil, "192.168.1.5", true},
		{lan, nil, "[::ffff:192.168.1.5]", true},
		{lan, nil, "192.168.1.6", false},
		{lan, nil, "localhost", true},
		{"[2001:db8::7]:7788", nil, "[2001:DB8:0::7]:7788", true},
		{"[2001:db8::7]:7788", nil, "[2001:db8::8]", false},
		{"[fe80::1%lo]:7788", nil, "[fe80::1]:7788", true},
		// All interfaces: no name is resolved for a request to an address.
		{all4, nil, "192.168.1.5:7788", true},
		{all6, nil, "10.0.0.7", true},
		{all6, nil, "[2001:db8::7]:7788", true},
		{all6, nil, "evil.example:7788", false},
		{all4, nil, "0.0.0.0:7788", false},
		{all6, nil, "[::]:7788", false},
		{all6, nil, "[::ffff:0.0.0.0]", false},
		// Names that the user allows.
		{here, []string{"pictures.example"}, "pictures.example", true},
		{here, []string{"Pictures.Example."}, "pictures.example:443", true},
		{here, []string{"pictures.example"}, "PICTURES.EXAMPLE.", true},
		{here, []string{"pictures.example"}, "a.pictures.example", false},
		{here, []string{"pictures.example"}, "pictures.example.evil", false},
		{here, []string{"a.example", "192.168.1.5"}, "192.168.1.5:80", true},
		{here, []string{"2001:db8::7"}, "[2001:db8::7]:80", true},
		{here, []string{"[2001:db8::7]"}, "[2001:db8::7]:80", true},
		{here, []string{"a.example"}, "localhost", true},
	} {
		h, err := NewHosts(listener(test.listener), test.allow)
		if err != nil {
			t.Errorf("%q: %v", test.allow, err)
			continue
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = test.host
		w := respond(h.Allow, r)
		if test.in {
			if w.Body.String() != "in" {
				t.Errorf("%s, %q: host %q gets %d %q", test.listener, test.allow, test.host, w.Code, w.Body)
			}
			continue
		}
		says := "host"
		if w.Body.Len() > 0 && strings.Contains(w.Body.String(), "allowed") {
			says = "--allow-host " // with the name
		}
		checkRefused(t, w, http.StatusForbidden, says)
	}
}

// TestHostsSays: the flag in an answer is the one that helps.
func TestHostsSays(t *testing.T) {
	h, err := NewHosts(listener("127.0.0.1:7788"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = "My.Tailnet.example.:443"
	checkRefused(t, respond(h.Allow, r), http.StatusForbidden, "start it with --allow-host my.tailnet.example")
	// Nothing is repeated that is not a host's name.
	r.Host = "<script>" + strings.Repeat("x", 1<<16)
	w := respond(h.Allow, r)
	checkRefused(t, w, http.StatusForbidden, "does not name a host")
	if w.Body.Len() > 200 || strings.Contains(w.Body.String(), "script") {
		t.Errorf("answer is %q", w.Body)
	}
}

func TestNewHostsRefuses(t *testing.T) {
	for _, name := range []string{"", ".", "*", "*.example", "a.example:443", "[::1]:80", "https://a.example", "a example", "a/b", "[::1", "пример", strings.Repeat("a", 64), strings.Repeat("a.", 128)} {
		if _, err := NewHosts(listener("127.0.0.1:1"), []string{name}); err == nil {
			t.Errorf("%.20q is accepted", name)
		}
	}
}

// TestHTTP10: a request of HTTP/1.0 without a Host header is refused, and one
// whose target is a whole URL is judged by that.
func TestHTTP10(t *testing.T) {
	srv := httptest.NewUnstartedServer(nil)
	h, err := NewHosts(srv.Listener.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = h.Allow(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Start()
	defer srv.Close()
	for request, status := range map[string]string{
		"GET / HTTP/1.0\r\n\r\n":                                                                     "403",
		"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n":                                                  "200",
		"GET / HTTP/1.1\r\nConnection: close\r\n\r\n":                                                "400",
		"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n":       "400",
		"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":          "403",
		"GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n":          "200",
		"GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil\r\nConnection: close\r\n\r\n":   "200",
		"GET / HTTP/1.1\r\nHost: evil\r\nX-Forwarded-Host: localhost\r\nConnection: close\r\n\r\n":   "403",
		"GET / HTTP/1.1\r\nHost: evil\r\nForwarded: host=localhost\r\nConnection: close\r\n\r\n":     "403",
		"GET //localhost/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n":               "403",
		"GET / HTTP/1.1\r\nHost: evil.example#localhost\r\nConnection: close\r\n\r\n":                "400",
		"GET / HTTP/1.1\r\nHost: localhost:80@evil.example\r\nConnection: close\r\n\r\n":             "400",
		"POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc": "403",
	} {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, len("HTTP/1.1 200"))
		if _, err := conn.Read(line); err != nil || !strings.HasSuffix(string(line), status) {
			t.Errorf("%q: answer begins %q, error %v; want %s", request, line, err, status)
		}
		conn.Close()
	}
}

func TestCrossOrigin(t *testing.T) {
	for _, test := range []struct {
		method, site, origin string
		in                   bool
	}{
		{"POST", "", "", true}, // no browser
		{"POST", "same-origin", "", true},
		{"POST", "none", "", true}, // typed by the user
		{"POST", "cross-site", "", false},
		{"POST", "same-site", "", false},
		{"POST", "", "http://127.0.0.1:7788", true},
		{"POST", "", "http://127.0.0.1:9999", false},
		{"POST", "", "https://evil.example", false},
		{"POST", "", "null", false},
		{"DELETE", "cross-site", "", false},
		{"PUT", "cross-site", "", false},
		{"GET", "cross-site", "https://evil.example", true},
	} {
		r := httptest.NewRequest(test.method, "/", nil)
		r.Host = "127.0.0.1:7788"
		for name, value := range map[string]string{"Sec-Fetch-Site": test.site, "Origin": test.origin} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := respond(CrossOrigin, r)
		if !test.in {
			checkRefused(t, w, http.StatusForbidden, "other sites")
		} else if w.Body.String() != "in" {
			t.Errorf("%+v: answer is %d %q", test, w.Code, w.Body)
		}
	}
}

// TestAddHosts: a name that no server can have is refused with the command line.
func TestAddHosts(t *testing.T) {
	for value, want := range map[string]string{
		"a.example": "a.example", "a.example,[::1]": "a.example [::1]",
		"a:80": "", "a.example,": "", "": "", "a.example,b c": "",
	} {
		var names []string
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		AddHosts(flags, &names, "`name`")
		err := flags.Parse([]string{"--allow-host", "first.example", "--allow-host", value})
		got := strings.Join(names, " ")
		switch {
		case want != "" && (err != nil || got != "first.example "+want):
			t.Errorf("%q: names %q, error %v", value, names, err)
		case want == "" && (err == nil || got != "first.example" || !strings.HasSuffix(err.Error(), "without a port")):
			t.Errorf("%q: names %q, error %v", value, names, err)
		}
	}
}
