package main

import (
	"fmt"
	"sync"
	"time"
)

// failuresUntilUnready is how many listings in a row must fail before a pod that was ready no longer is.
const failuresUntilUnready = 3

// snapshot is what is known at one moment. Its buckets are never changed, only replaced.
type snapshot struct {
	Buckets  []bucket
	ListedAt time.Time // of the last successful listing; zero before the first
	Identity string    // ARN of the last listing, failed or not; "" when it is not known

	Failures int    // in a row, since ListedAt
	Error    string // of the last failure; "" after a success
	FailedAt time.Time
}

// status holds the result of the listings for those who ask. Safe for concurrent use.
type status struct {
	staleAfter time.Duration // age at which a listing no longer counts

	mu       sync.RWMutex
	now      snapshot
	stopping bool
}

func (s *status) snapshot() snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.now
}

func (s *status) listed(buckets []bucket, identity string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = snapshot{Buckets: buckets, ListedAt: at, Identity: identity}
}

func (s *status) failed(explanation, identity string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Failures++
	s.now.Error, s.now.FailedAt, s.now.Identity = explanation, at, identity
}

// stop makes the status unready for good.
func (s *status) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
}

// unreadiness is why a pod is not ready.
type unreadiness struct {
	reason string
	cause  string // the last listing's error; "" where that is not why
}

func (u *unreadiness) String() string {
	if u.cause == "" {
		return u.reason
	}
	return u.reason + ": " + u.cause
}

// unready says why the pod is not ready at that time, or nil when it is.
func (s *status) unready(at time.Time) *unreadiness {
	s.mu.RLock()
	defer s.mu.RUnlock()
	age := at.Sub(s.now.ListedAt)
	switch {
	case s.stopping:
		return &unreadiness{reason: "stopping"}
	case s.now.ListedAt.IsZero() && s.now.Failures == 0:
		return &unreadiness{reason: "the first listing is under way"}
	case s.now.ListedAt.IsZero():
		return &unreadiness{"no listing has succeeded yet", s.now.Error}
	case s.now.Failures >= failuresUntilUnready:
		return &unreadiness{fmt.Sprintf("the last %d listings failed", s.now.Failures), s.now.Error}
	case age > s.staleAfter:
		return &unreadiness{fmt.Sprintf("the last successful listing is %s old", age.Round(time.Second)), s.now.Error}
	}
	return nil
}
