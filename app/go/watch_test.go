package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// script is a source whose listings are given one by one; the last one stays.
type script struct {
	results []func(context.Context) ([]bucket, error)

	mu sync.Mutex
	at []time.Time
}

// pause is the time between the starts of a listing and the next.
func (s *script) pause(listing int) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[listing+1].Sub(s.at[listing])
}

func (s *script) buckets(ctx context.Context) ([]bucket, error) {
	s.mu.Lock()
	next := s.results[min(len(s.at), len(s.results)-1)]
	s.at = append(s.at, time.Now())
	s.mu.Unlock()
	return next(ctx)
}

func (s *script) identity(context.Context) (string, error) { return testIdentity, nil }

func works(count int) func(context.Context) ([]bucket, error) {
	return func(context.Context) ([]bucket, error) { return someBuckets(count), nil }
}

func fails(context.Context) ([]bucket, error) { return nil, errors.New("refused") }

func hangs(ctx context.Context) ([]bucket, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// startWatch watches with an interval of a minute, in a bubble whose time passes at once. Call it within synctest.Test.
func startWatch(t *testing.T, results ...func(context.Context) ([]bucket, error)) (*watch, *script, *buffer) {
	source, stdout := &script{results: results}, &buffer{}
	w := &watch{
		source: source, interval: time.Minute, timeout: 20 * time.Second,
		status:  &status{staleAfter: 3*time.Minute + 20*time.Second},
		metrics: newMetrics(""), log: slog.New(slog.NewTextHandler(io.Discard, nil)), stdout: stdout,
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return w, source, stdout
}

// after lets time pass and says why the watch is unready then, "" when it is ready.
func after(pause time.Duration, w *watch) string {
	time.Sleep(pause)
	synctest.Wait()
	if unready := w.status.unready(time.Now()); unready != nil {
		return unready.String()
	}
	return ""
}

func TestReadyAfterTheFirstListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := startWatch(t, func(ctx context.Context) ([]bucket, error) {
			time.Sleep(5 * time.Second)
			return someBuckets(1), nil
		})
		if reason := after(time.Second, w); reason != "the first listing is under way" {
			t.Errorf("during the first listing: %q", reason)
		}
		if reason := after(5*time.Second, w); reason != "" {
			t.Errorf("after it: %q", reason)
		}
	})
}

func TestRetriesAFailedListingSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// As while a new role does not work everywhere yet.
		w, source, _ := startWatch(t, fails, fails, fails, fails, works(1))
		if reason := after(500*time.Millisecond, w); reason != "no listing has succeeded yet: refused" {
			t.Errorf("after a failure: %q", reason)
		}
		// 1 + 2 + 4 + 8 s, a fifth more or less.
		if reason := after(18*time.Second, w); reason != "" {
			t.Errorf("after 18.5 s: %q", reason)
		}
		for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
			if got := source.pause(i); got < want*8/10 || got > want*12/10 {
				t.Errorf("pause %d is %s, want about %s", i+1, got, want)
			}
		}
		// Then on the interval.
		after(time.Minute, w)
		if got := source.pause(4); got != time.Minute {
			t.Errorf("pause after a success is %s", got)
		}
	})
}

func TestRetryPauseIsAtMostTheInterval(t *testing.T) {
	for _, failures := range []int{7, 20, 21, 1000} {
		if pause := retryPause(failures, time.Minute); pause < 48*time.Second || pause > 72*time.Second {
			t.Errorf("after %d failures: %s", failures, pause)
		}
	}
}

func TestUnreadyAfterFailuresAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, stdout := startWatch(t, works(1), fails, fails, fails, works(1))
		if reason := after(time.Second, w); reason != "" {
			t.Errorf("after the first listing: %q", reason)
		}
		if reason := after(59500*time.Millisecond, w); reason != "" || w.status.snapshot().Failures != 1 {
			t.Errorf("after one failure: %q, %+v", reason, w.status.snapshot())
		}
		if reason := after(4*time.Second, w); reason != "the last 3 listings failed: refused" {
			t.Errorf("after three failures: %q", reason)
		}
		if reason := after(5*time.Second, w); reason != "" || w.status.snapshot().Error != "" {
			t.Errorf("after the recovery: %q, %+v", reason, w.status.snapshot())
		}
		if strings.Count(stdout.String(), "Buckets:") != 1 {
			t.Errorf("printed an unchanged listing again:\n%s", stdout)
		}
	})
}

func TestAListingThatHangsFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := startWatch(t, hangs, works(1))
		if reason := after(19*time.Second, w); reason != "the first listing is under way" {
			t.Errorf("before the timeout: %q", reason)
		}
		if reason := after(1100*time.Millisecond, w); !strings.Contains(reason, "deadline exceeded") {
			t.Errorf("after the timeout: %q", reason)
		}
		if reason := after(2*time.Second, w); reason != "" {
			t.Errorf("after the next: %q", reason)
		}
	})
}

func TestUnreadyWhenStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A source that ignores its context, so that no failure is counted.
		w, _, _ := startWatch(t, works(1), func(context.Context) ([]bucket, error) {
			time.Sleep(time.Hour)
			return someBuckets(1), nil
		})
		if reason := after(199*time.Second, w); reason != "" {
			t.Errorf("after 199 s: %q", reason)
		}
		if reason := after(2*time.Second, w); reason != "the last successful listing is 3m21s old" {
			t.Errorf("after 201 s: %q", reason)
		}
		if reason := after(time.Hour, w); reason != "" {
			t.Errorf("after the next listing: %q", reason)
		}
	})
}

func TestPrintsWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, stdout := startWatch(t, works(0), works(0), works(2), fails, works(2), works(1))
		after(10*time.Minute, w)
		want := "Buckets:\n" +
			"Buckets:\n* bucket-00000 created on 2026-01-02 03:04:00 +0000 UTC\n* bucket-00001 created on 2026-01-02 03:04:01 +0000 UTC\n" +
			"Buckets:\n* bucket-00000 created on 2026-01-02 03:04:00 +0000 UTC\n"
		if stdout.String() != want {
			t.Errorf("stdout:\n%s", stdout)
		}
	})
}
