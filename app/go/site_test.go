package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func testSite(t *testing.T, token string) *site {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	return &site{
		roleARN: testRole, tokenFile: file, status: &status{staleAfter: time.Hour},
		metrics: newMetrics(file), log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func (s *site) answer(method, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	s.handler().ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
	return recorder
}

func TestPage(t *testing.T) {
	expires := time.Now().Add(time.Hour + time.Second)
	s := testSite(t, testToken(expires))
	s.status.listed(someBuckets(2), testIdentity, time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC))
	s.status.failed("SlowDown: reduce", testIdentity, time.Date(2026, 2, 3, 4, 6, 7, 0, time.UTC))
	s.status.staleAfter = 1 << 62
	answer := s.answer("GET", "/")
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "text/html; charset=utf-8" ||
		!strings.HasPrefix(answer.Header().Get("Content-Security-Policy"), "default-src 'none'; ") {
		t.Errorf("%d, %v", answer.Code, answer.Header())
	}
	for _, part := range []string{
		`<html lang="en">`, `<title>2 buckets · S3 lister</title>`, `>Ready at <time `, `, although the last listing failed.</p>`,
		`<dt>Identity</dt><dd><code>` + testIdentity + `</code></dd>`,
		`<dt>Role</dt><dd><code>` + testRole + `</code></dd>`,
		`<code>` + testSubject + `</code>`, `<code>sts.amazonaws.com</code>`,
		`<time datetime="` + expires.UTC().Format(time.RFC3339) + `">`,
		`<time datetime="2026-02-03T04:05:06Z">2026-02-03 04:05:06 UTC</time>`,
		`<time datetime="2026-02-03T04:06:07Z">2026-02-03 04:06:07 UTC</time>: SlowDown: reduce</p>`,
		`<p>2 as of <time datetime="2026-02-03T04:05:06Z">2026-02-03 04:05:06 UTC</time>, also as <a href="buckets">JSON</a>. That was the last listing that succeeded`,
		`<tr><td><code>bucket-00001</code></td><td><time datetime="2026-01-02T03:04:01Z">2026-01-02 03:04:01 UTC</time></td></tr>`,
	} {
		if !strings.Contains(answer.Body.String(), part) {
			t.Errorf("lacks %s", part)
		}
	}
	if t.Failed() {
		t.Logf("%s", answer.Body)
	}
	// A fill that went wrong shows as %!s(…).
	if strings.Contains(answer.Body.String(), "%!") {
		t.Errorf("a format is wrong:\n%s", answer.Body)
	}
}

func TestPageEscapes(t *testing.T) {
	const evil = `<script>"'&%s`
	view := pageView{
		snapshot: snapshot{
			Buckets: []bucket{{Name: evil}}, ListedAt: testExpiry, Identity: evil, Error: evil, FailedAt: testExpiry,
		},
		unready: evil, role: evil, now: testExpiry,
		token: &claims{Issuer: evil, Subject: evil, Audience: []string{evil}, Expires: testExpiry},
	}
	withError := view
	withError.token, withError.tokenError = nil, errors.New(evil)
	for _, page := range []string{string(view.page()), string(withError.page())} {
		if strings.Contains(page, "<script") {
			t.Errorf("not escaped:\n%s", page)
		}
		if count := strings.Count(page, `&lt;script&gt;&#34;&#39;&amp;%s`); count < 6 {
			t.Errorf("the text shows %d times:\n%s", count, page)
		}
	}
}

// Every element is closed, in order: a slip in a format would show as a page that browsers guess at.
func TestPageIsWellFormed(t *testing.T) {
	for name, view := range map[string]pageView{
		"empty": {},
		"full": {
			snapshot: snapshot{Buckets: someBuckets(2), ListedAt: testExpiry, Identity: "x", Error: "x", FailedAt: testExpiry},
			unready:  "x", role: "x", token: &claims{Expires: testExpiry}, now: testExpiry,
		},
		"token error": {tokenError: errors.New("x"), snapshot: snapshot{ListedAt: testExpiry}},
	} {
		var open []string
		for _, tag := range regexp.MustCompile(`<(/?)([a-z0-9]+)[^>]*>`).FindAllStringSubmatch(string(view.page()), -1) {
			switch {
			case tag[2] == "meta" || tag[2] == "link":
			case tag[1] == "":
				open = append(open, tag[2])
			case len(open) == 0 || open[len(open)-1] != tag[2]:
				t.Fatalf("%s: </%s> closes none of %v", name, tag[2], open)
			default:
				open = open[:len(open)-1]
			}
		}
		if len(open) != 0 {
			t.Errorf("%s: not closed: %v", name, open)
		}
	}
}

func TestPageOfAPodThatIsNotReady(t *testing.T) {
	s := testSite(t, "broken")
	s.roleARN = ""
	page := s.answer("GET", "/").Body.String()
	for _, part := range []string{
		"<title>Not ready · S3 lister</title>", "Not ready at <time ", "</time>: the first listing is under way.</p>", "not known",
		"none: AWS_ROLE_ARN is not set", "not a JWT: 1 parts instead of 3", "Not listed yet.",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("lacks %s", part)
		}
	}
}

func TestPageSaysAnErrorOnce(t *testing.T) {
	s := testSite(t, testToken(testExpiry))
	for range failuresUntilUnready {
		s.status.failed("AccessDenied: no", testIdentity, time.Now())
	}
	page := s.answer("GET", "/").Body.String()
	if count := strings.Count(page, "AccessDenied: no"); count != 1 || !strings.Contains(page, "no listing has succeeded yet.") {
		t.Errorf("the error shows %d times:\n%s", count, page)
	}
	if body := s.answer("GET", "/readyz").Body.String(); body != "no listing has succeeded yet: AccessDenied: no\n" {
		t.Errorf("readiness says %q", body)
	}
}

// A page stands still: what it says must hold as long as it is looked at.
func TestPageSaysOfWhenItIs(t *testing.T) {
	seen := testExpiry.Add(-time.Hour)
	view := pageView{
		snapshot: snapshot{Buckets: someBuckets(2), ListedAt: seen}, token: &claims{Expires: testExpiry}, now: seen,
	}
	ready := string(view.page())
	for _, part := range []string{
		"Ready at " + string(moment(seen)) + ": the last listing has succeeded.",
		"<p>2 as of " + string(moment(seen)) + ", also as",
		"<dt>Token expires</dt><dd>" + string(moment(testExpiry)) + "</dd>",
	} {
		if !strings.Contains(ready, part) {
			t.Errorf("lacks %s:\n%s", part, ready)
		}
	}
	if strings.Contains(ready, "is not known") {
		t.Errorf("the list seems old:\n%s", ready)
	}
	view.unready = "the last successful listing is 1h0m0s old"
	if page := string(view.page()); !strings.Contains(page, "what is there now is not known") {
		t.Errorf("the list seems current:\n%s", page)
	}
	view.now = testExpiry
	if page := string(view.page()); !strings.Contains(page, "(has expired)") {
		t.Errorf("the token seems good:\n%s", page)
	}
}

func TestPageWarnsOfOtherCredentials(t *testing.T) {
	const warning = "Not a session of the role below"
	for identity, warns := range map[string]bool{
		testIdentity: false,
		"arn:aws:sts::000000000000:assumed-role/node/i-1":          true,
		"arn:aws:sts::111111111111:assumed-role/s3-irsa/session":   true,
		"arn:aws:iam::000000000000:user/s3-irsa":                   true,
		"arn:aws:sts::000000000000:assumed-role/s3-irsa-2/session": true,
		"": false,
	} {
		page := string(pageView{snapshot: snapshot{Identity: identity}, role: testRole}.page())
		if strings.Contains(page, warning) != warns {
			t.Errorf("%q: warns %v, want %v", identity, !warns, warns)
		}
	}
}

func TestPathsAndMethods(t *testing.T) {
	s := testSite(t, testToken(testExpiry))
	s.status.listed(nil, testIdentity, time.Now())
	for request, want := range map[string]int{
		"GET /": 200, "HEAD /": 200, "GET /buckets": 200, "GET /healthz": 200, "GET /readyz": 200, "GET /metrics": 200,
		"GET /other": 404, "POST /": 405, "DELETE /buckets": 405,
	} {
		method, path, _ := strings.Cut(request, " ")
		answer := s.answer(method, path)
		if answer.Code != want || answer.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d, want %d; %v", request, answer.Code, want, answer.Header())
		}
	}
}

func TestMetrics(t *testing.T) {
	s := testSite(t, testToken(testExpiry))
	s.metrics.listed(7, 30*time.Millisecond)
	s.metrics.listed(8, 30*time.Millisecond)
	s.metrics.failed(time.Second)
	body := s.answer("GET", "/metrics").Body.String()
	for _, line := range []string{
		`s3_lister_listings_total{result="success"} 2`,
		`s3_lister_listings_total{result="error"} 1`,
		`s3_lister_buckets 8`,
		`s3_lister_listing_duration_seconds_count 3`,
		`s3_lister_listing_duration_seconds_bucket{le="0.05"} 2`,
		`s3_lister_token_expiry_timestamp_seconds 2000000000`,
		`process_resident_memory_bytes `,
		`process_open_fds `,
		`go_goroutines `,
	} {
		if !strings.Contains(body, "\n"+line) {
			t.Errorf("lacks %s", line)
		}
	}
	if !regexp.MustCompile(`\ns3_lister_last_success_timestamp_seconds 1(\d{9}|\.\d+e\+09)\n`).MatchString(body) {
		t.Error("the time of the last success is not now")
	}

	// The kubelet replaces the file.
	if err := os.WriteFile(s.tokenFile, []byte(testToken(testExpiry.Add(1e9*time.Second))), 0o600); err != nil {
		t.Fatal(err)
	}
	if body := s.answer("GET", "/metrics").Body.String(); !strings.Contains(body, "\ns3_lister_token_expiry_timestamp_seconds 3000000000\n") {
		t.Error("the new token's expiry does not show")
	}
	os.Remove(s.tokenFile)
	if body := s.answer("GET", "/metrics").Body.String(); !strings.Contains(body, "\ns3_lister_token_expiry_timestamp_seconds 0\n") {
		t.Error("the missing token does not show")
	}
}

func TestMetricsWithoutAToken(t *testing.T) {
	var text strings.Builder
	newMetrics("").write(&text)
	if strings.Contains(text.String(), "s3_lister_token_expiry_timestamp_seconds") {
		t.Error("there is no token, but an expiry")
	}
	if !strings.Contains(text.String(), "\ns3_lister_last_success_timestamp_seconds 0\n") {
		t.Error("there is no listing, but a time of one")
	}
}

// Each family has its help and type once, before its series, as Prometheus' text format wants it.
func TestMetricsAreDescribed(t *testing.T) {
	body := testSite(t, testToken(testExpiry)).answer("GET", "/metrics").Body.String()
	described := map[string]int{}
	for line := range strings.Lines(body) {
		if name, help, ok := strings.Cut(strings.TrimPrefix(line, "# HELP "), " "); ok && strings.HasPrefix(line, "# HELP ") {
			described[name]++
			if strings.TrimSpace(help) == "" || !regexp.MustCompile(`(?m)^# TYPE `+name+` (counter|gauge|histogram)$`).MatchString(body) {
				t.Errorf("%s lacks help or type", name)
			}
		}
	}
	for _, name := range []string{
		"s3_lister_listings_total", "s3_lister_listing_duration_seconds", "s3_lister_buckets",
		"s3_lister_last_success_timestamp_seconds", "s3_lister_token_expiry_timestamp_seconds",
	} {
		if described[name] != 1 {
			t.Errorf("%s is described %d times", name, described[name])
		}
	}
}
