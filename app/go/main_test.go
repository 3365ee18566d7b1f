package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOncePrintsTheBuckets(t *testing.T) {
	startAWS(t,
		bucket{"logs", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		bucket{"media", time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC)})
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"--once"}, &stdout, &stderr)
	want := "Buckets:\n* logs created on 2026-01-02 03:04:05 +0000 UTC\n* media created on 2025-12-31 23:59:59 +0000 UTC\n"
	if code != 0 || stdout.String() != want || stderr.Len() != 0 {
		t.Errorf("exit %d, stdout:\n%s\nstderr:\n%s", code, &stdout, &stderr)
	}
}

func TestOnceFailsWithOneLine(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*testing.T, *fakeAWS)
		args    []string
		code    int
		line    string // regular expression of all of stderr
	}{
		"refused by S3": {
			prepare: func(_ *testing.T, f *fakeAWS) {
				f.onS3 = s3Error(403, "AccessDenied", "User: x is not authorized to perform:\n s3:ListAllMyBuckets")
			},
			line: `AccessDenied: User: x is not authorized to perform: s3:ListAllMyBuckets \(S3 ListBuckets, HTTP 403, request id REQ1\)`,
		},
		"refused by STS": {
			prepare: func(t *testing.T, f *fakeAWS) { t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::000000000000:role/other") },
			line:    `AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity \(STS AssumeRoleWithWebIdentity, HTTP 403, request id REQ2\)`,
		},
		"token expired": {
			prepare: func(_ *testing.T, f *fakeAWS) {
				f.onSTS = stsError(400, "ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time")
			},
			line: `ExpiredTokenException: Token expired: .* \(STS AssumeRoleWithWebIdentity, HTTP 400, request id REQ2\)`,
		},
		"throttled": {
			prepare: func(_ *testing.T, f *fakeAWS) { f.onS3 = s3Error(503, "SlowDown", "Please reduce your request rate.") },
			line:    `SlowDown: Please reduce your request rate\. \(S3 ListBuckets, HTTP 503, request id REQ1\)`,
		},
		"error without a body": {
			prepare: func(_ *testing.T, f *fakeAWS) {
				f.onS3 = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }
			},
			line: `\w+: .+ \(S3 ListBuckets, HTTP 502\)`,
		},
		"not XML": {
			prepare: func(_ *testing.T, f *fakeAWS) {
				f.onS3 = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>a proxy's page<br>") }
			},
			line: `Error: .+ \(S3 ListBuckets, HTTP 200\)`,
		},
		"S3 hangs": {
			prepare: func(_ *testing.T, f *fakeAWS) { f.onS3 = hang },
			args:    []string{"--timeout=300ms"},
			line:    `Timeout: no answer in time \(S3 ListBuckets\)`,
		},
		"STS hangs": {
			prepare: func(_ *testing.T, f *fakeAWS) { f.onSTS = hang },
			args:    []string{"--timeout=300ms"},
			line:    `Timeout: no answer in time \(STS AssumeRoleWithWebIdentity\)`,
		},
		"nobody there": {
			prepare: func(_ *testing.T, f *fakeAWS) { f.Close() },
			line:    `RequestError: .*connection refused \(STS AssumeRoleWithWebIdentity\)`,
		},
		"no region": {
			prepare: func(t *testing.T, _ *fakeAWS) { t.Setenv("AWS_REGION", "") },
			line:    `no AWS region: set AWS_REGION, .*`,
		},
		"not injected": {
			prepare: func(t *testing.T, _ *fakeAWS) {
				t.Setenv("AWS_ROLE_ARN", "")
				t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "")
			},
			line: `NoCredentials: the environment has no keys and no web identity token .* or agent .*`,
		},
		"agent refuses": {
			prepare: func(t *testing.T, f *fakeAWS) {
				f.byAgent(t, 400, "[b69b1279]: (AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the associated role., fault: client")
			},
			line: `AccessDeniedException: Unauthorized Exception! EKS does not have permissions to assume the associated role\. \(EKS Auth AssumeRoleForPodIdentity\)`,
		},
		"agent takes no token": {
			prepare: func(t *testing.T, f *fakeAWS) { f.byAgent(t, 400, "Service account token cannot be empty") },
			line:    `Error: Service account token cannot be empty \(EKS Pod Identity agent GetCredentials\)`,
		},
		"agent away": {
			prepare: func(t *testing.T, f *fakeAWS) {
				f.byAgent(t, 200, "")
				f.Close()
			},
			line: `RequestError: .*connection refused \(EKS Pod Identity agent GetCredentials\)`,
		},
		"agent hangs": {
			prepare: func(t *testing.T, f *fakeAWS) {
				f.byAgent(t, 200, "")
				f.onS3 = hang
			},
			args: []string{"--timeout=300ms"},
			line: `Timeout: no answer in time \(EKS Pod Identity agent GetCredentials\)`,
		},
		"no role": {
			prepare: func(t *testing.T, _ *fakeAWS) { t.Setenv("AWS_ROLE_ARN", "") },
			line:    `reading the AWS configuration: .*role ARN is not set`,
		},
		"token missing": {
			prepare: func(t *testing.T, f *fakeAWS) { os.Remove(f.tokenFile) },
			line:    `cannot read the web identity token .*/token, which AWS_WEB_IDENTITY_TOKEN_FILE names: no such file or directory`,
		},
		"token is a folder": {
			prepare: func(t *testing.T, _ *fakeAWS) { t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", t.TempDir()) },
			line:    `cannot read the web identity token .*: is a directory`,
		},
		"unknown flag":     {args: []string{"--twice"}, code: 2, line: `flag provided but not defined: -twice`},
		"unknown argument": {args: []string{"list"}, code: 2, line: `unknown argument "list", see s3-lister --help`},
		"interval too short": {
			args: []string{"--interval=10ms"}, code: 2, line: `the interval is 10ms, it must be at least 1s`,
		},
		"bad LIST_INTERVAL": {
			prepare: func(t *testing.T, _ *fakeAWS) { t.Setenv("LIST_INTERVAL", "60") },
			code:    2, line: `LIST_INTERVAL is "60", it must be a duration such as 60s or 5m`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			fake := startAWS(t, someBuckets(1)...)
			if test.prepare != nil {
				test.prepare(t, fake)
			}
			code := max(test.code, 1)
			var stdout, stderr bytes.Buffer
			if got := run(t.Context(), append([]string{"--once"}, test.args...), &stdout, &stderr); got != code {
				t.Errorf("exit %d, want %d", got, code)
			}
			if stdout.Len() != 0 {
				t.Errorf("stdout is not empty: %s", &stdout)
			}
			if !regexp.MustCompile(`^s3-lister: ` + test.line + `\n$`).MatchString(stderr.String()) {
				t.Errorf("stderr:\n%swant:\ns3-lister: %s", &stderr, test.line)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, &stdout, &stderr); code != 0 || !strings.Contains(stderr.String(), "-interval listings") {
		t.Errorf("exit %d\n%s", code, &stderr)
	}
}

func TestServerDoesNotStartOnBadSettings(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, test := range map[string]struct {
		prepare func(*testing.T, *fakeAWS)
		line    string
	}{
		"no region":     {func(t *testing.T, _ *fakeAWS) { t.Setenv("AWS_REGION", "") }, "no AWS region"},
		"token missing": {func(t *testing.T, f *fakeAWS) { os.Remove(f.tokenFile) }, "cannot read the web identity token"},
		"port taken":    {func(*testing.T, *fakeAWS) {}, "address already in use"},
	} {
		t.Run(name, func(t *testing.T) {
			test.prepare(t, startAWS(t))
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), []string{"--listen", taken.Addr().String()}, &stdout, &stderr)
			if code != 1 || !strings.Contains(stderr.String(), test.line) || strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("exit %d, stderr:\n%s", code, &stderr)
			}
		})
	}
}

func TestServerFromStartToStop(t *testing.T) {
	fake := startAWS(t, someBuckets(2)...)
	server := startServer(t, "--interval=1s", "--drain=300ms")

	server.waitFor(t, "/readyz", http.StatusOK)
	if body := server.get(t, "/healthz", http.StatusOK); body != "ok\n" {
		t.Errorf("/healthz: %q", body)
	}
	var listing struct {
		Buckets  []bucket
		ListedAt time.Time
		Identity string
	}
	if err := json.Unmarshal([]byte(server.get(t, "/buckets", http.StatusOK)), &listing); err != nil {
		t.Fatal(err)
	}
	if !sameBuckets(listing.Buckets, fake.buckets) || listing.Identity != testIdentity || time.Since(listing.ListedAt) > 10*time.Second {
		t.Errorf("/buckets: %+v", listing)
	}

	// A bucket made later shows in the next listing, and the log shows the whole list again.
	fake.set(func() { fake.buckets = someBuckets(3) })
	for deadline := time.Now().Add(5 * time.Second); strings.Count(server.stdout.String(), "Buckets:\n") < 2; {
		if time.Now().After(deadline) {
			t.Fatalf("the new bucket did not show:\n%s", &server.stdout)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !strings.HasSuffix(server.stdout.String(), "* bucket-00002 created on 2026-01-02 03:04:02 +0000 UTC\n") {
		t.Errorf("stdout:\n%s", &server.stdout)
	}

	// As on SIGTERM: red, but still serving; then gone.
	server.stop()
	server.waitFor(t, "/readyz", http.StatusServiceUnavailable)
	if body := server.get(t, "/readyz", http.StatusServiceUnavailable); body != "stopping\n" {
		t.Errorf("/readyz: %q", body)
	}
	server.get(t, "/healthz", http.StatusOK)
	select {
	case code := <-server.exit:
		if code != 0 {
			t.Errorf("exit %d", code)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("did not stop")
	}
	if _, err := http.Get(server.url + "/healthz"); err == nil {
		t.Error("still serves after the end")
	}

	for line := range strings.Lines(server.stderr.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("stderr line is no JSON: %s", line)
		}
		if entry["msg"] == "listed the buckets" && (entry["identity"] != testIdentity || entry["count"] == nil || entry["duration_seconds"] == nil) {
			t.Errorf("log line of a listing: %s", line)
		}
	}
}

func TestStopDoesNotWaitForAListing(t *testing.T) {
	fake := startAWS(t)
	fake.onS3 = hang
	server := startServer(t, "--drain=0s")
	for deadline := time.Now().Add(5 * time.Second); len(fake.seen()) < 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no listing was tried")
		}
	}
	server.stop()
	select {
	case code := <-server.exit:
		if code != 0 {
			t.Errorf("exit %d", code)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("did not stop")
	}
	if strings.Contains(server.stderr.String(), "listing failed") {
		t.Errorf("the listing that the stop cut short counts as failed:\n%s", &server.stderr)
	}
}

func TestServerOutlivesTrouble(t *testing.T) {
	fake := startAWS(t, someBuckets(1)...)
	fake.onSTS = stsError(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	server := startServer(t)
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(server.stderr.String(), "listing failed"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no listing was tried")
		}
	}
	if body := server.get(t, "/readyz", http.StatusServiceUnavailable); !strings.HasPrefix(body, "no listing has succeeded yet: AccessDenied: ") {
		t.Errorf("/readyz: %q", body)
	}
	if body := server.get(t, "/buckets", http.StatusServiceUnavailable); !strings.Contains(body, `"error":"no listing has succeeded yet: AccessDenied`) {
		t.Errorf("/buckets: %q", body)
	}
	if requests := fake.seen(); slices.Contains(requests, "GetCallerIdentity") {
		t.Errorf("asked who it is without credentials: %q", requests)
	}
	server.get(t, "/healthz", http.StatusOK)
	// The role begins to work: ready long before the next minute.
	fake.set(func() { fake.onSTS = nil })
	server.waitFor(t, "/readyz", http.StatusOK)
}

func TestServerSaysWhomS3Refuses(t *testing.T) {
	fake := startAWS(t)
	fake.onS3 = s3Error(403, "AccessDenied", "no")
	server := startServer(t)
	line := regexp.MustCompile(`"msg":"listing failed".*"identity":"` + testIdentity + `","code":"AccessDenied"`)
	for deadline := time.Now().Add(5 * time.Second); !line.MatchString(server.stderr.String()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no such line:\n%s", &server.stderr)
		}
	}
	if page := server.get(t, "/", http.StatusOK); !strings.Contains(page, testIdentity) {
		t.Errorf("the page lacks the identity:\n%s", page)
	}
}

// testServer is the lister as a server on a free port, with SIGTERM as stop.
type testServer struct {
	url            string
	stdout, stderr buffer
	stop           context.CancelFunc
	exit           chan int
}

func startServer(t *testing.T, args ...string) *testServer {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	server := &testServer{stop: stop, exit: make(chan int, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.exit <- run(ctx, append([]string{"--listen=127.0.0.1:0"}, args...), &server.stdout, &server.stderr)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	started := regexp.MustCompile(`"msg":"starting","address":"([^"]+)"`)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if match := started.FindStringSubmatch(server.stderr.String()); match != nil {
			server.url = "http://" + match[1]
			return server
		}
	}
	t.Fatalf("did not start:\n%s", &server.stderr)
	return nil
}

func (s *testServer) get(t *testing.T, path string, status int) string {
	t.Helper()
	response, err := http.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("GET %s: %s, want %d\n%s", path, response.Status, status, body)
	}
	return string(body)
}

func (s *testServer) waitFor(t *testing.T, path string, status int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if response, err := http.Get(s.url + path); err == nil {
			response.Body.Close()
			if response.StatusCode == status {
				return
			}
		}
	}
	t.Fatalf("GET %s did not become %d\n%s", path, status, &s.stderr)
}

// buffer is a bytes.Buffer for one writer and one reader at a time.
type buffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}

// The Dockerfile's context is an allow-list: a file that the build needs and the list lacks would fail only there.
func TestDockerContextHoldsEverySource(t *testing.T) {
	allowed, err := os.ReadFile(".dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"*.go", "*.css", "go.mod", "go.sum"} {
		if files, _ := filepath.Glob(pattern); len(files) == 0 || !strings.Contains(string(allowed), "!"+pattern+"\n") {
			t.Errorf("%s: %d files, .dockerignore:\n%s", pattern, len(files), allowed)
		}
	}
}
