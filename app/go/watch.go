package main

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"
)

// firstRetry is the pause after a first failed listing; it doubles with each further one, up to the interval. Short,
// since a new role or policy works some seconds after IAM has accepted it, and the rollout waits for that.
const firstRetry = time.Second

// source is where the buckets come from: an account, or a test's stand-in for one.
type source interface {
	buckets(ctx context.Context) ([]bucket, error)
	identity(ctx context.Context) (string, error)
}

// watch lists the buckets again and again.
type watch struct {
	source   source
	interval time.Duration
	timeout  time.Duration
	status   *status
	metrics  *metrics
	log      *slog.Logger
	stdout   io.Writer
}

// run lists at once and then on the interval, after a failure sooner, until the context ends. No failure ends it.
func (w *watch) run(ctx context.Context) {
	for {
		w.list(ctx)
		pause := w.interval
		if failures := w.status.snapshot().Failures; failures > 0 {
			pause = retryPause(failures, w.interval)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// list makes one listing and tells everyone how it went. One that the end of ctx cut short did not happen.
func (w *watch) list(ctx context.Context) {
	before := w.status.snapshot()
	started := time.Now()
	listing, cancel := context.WithTimeout(ctx, w.timeout)
	buckets, err := w.source.buckets(listing)
	cancel()
	if ctx.Err() != nil {
		return
	}
	took := time.Since(started)
	// At once, before anyone is asked anything more.
	if err == nil && (before.ListedAt.IsZero() || !sameBuckets(before.Buckets, buckets)) {
		if err := printBuckets(w.stdout, buckets); err != nil {
			w.log.Error("cannot print the buckets", "error", err.Error())
		}
	}

	identity := ""
	if reachedS3(err) {
		// Also when S3 refused: then it tells whom.
		identity = w.identify(ctx)
	}
	entry := w.log.With("duration_seconds", took.Seconds(), "identity", identity)
	if err != nil {
		w.status.failed(explain(err), identity, time.Now().UTC())
		w.metrics.failed(took)
		entry.Error("listing failed", "code", errorCode(err), "error", explain(err), "failures", before.Failures+1)
		return
	}
	w.status.listed(buckets, identity, time.Now().UTC())
	w.metrics.listed(len(buckets), took)
	entry.Info("listed the buckets", "count", len(buckets))
}

// identify is the ARN of whoever listed, "" when STS does not say: a listing counts without it.
func (w *watch) identify(ctx context.Context) string {
	asking, cancel := context.WithTimeout(ctx, w.timeout/4)
	defer cancel()
	arn, err := w.source.identity(asking)
	if err != nil && ctx.Err() == nil {
		w.log.Warn("the identity is not known", "code", errorCode(err), "error", explain(err))
	}
	return arn
}

// reachedS3 tells whether a listing with that result had credentials. Without any there is no identity to ask for, and
// asking would only try, and fail, to fetch them once more.
func reachedS3(err error) bool {
	operation := failedOperation(err)
	return err == nil || (operation != nil && operation.Service() == "S3")
}

// retryPause is the pause after that many failures in a row, a fifth more or less, so that the replicas do not ask in
// step.
func retryPause(failures int, interval time.Duration) time.Duration {
	pause := interval
	// Above 2^20 s no interval is longer, and further shifts would overflow.
	if failures <= 20 {
		pause = min(interval, firstRetry<<(failures-1))
	}
	return time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64()))
}
