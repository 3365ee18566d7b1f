package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// site is what the lister serves over HTTP.
type site struct {
	roleARN   string
	tokenFile string
	status    *status
	metrics   *metrics
	log       *slog.Logger
}

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /buckets", s.serveBuckets)
	mux.HandleFunc("GET /healthz", s.serveHealth)
	mux.HandleFunc("GET /readyz", s.serveReadiness)
	mux.Handle("GET /metrics", s.metrics)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

// serveHealth answers as long as the process can answer: what AWS does is no reason to restart a pod.
func (s *site) serveHealth(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "ok")
}

func (s *site) serveReadiness(w http.ResponseWriter, _ *http.Request) {
	if unready := s.status.unready(time.Now()); unready != nil {
		http.Error(w, unready.String(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// serveBuckets serves the last successful listing, whatever came after it; 503 before the first.
func (s *site) serveBuckets(w http.ResponseWriter, _ *http.Request) {
	now := s.status.snapshot()
	if now.ListedAt.IsZero() {
		s.serveJSON(w, http.StatusServiceUnavailable, map[string]string{"error": fmt.Sprint(s.status.unready(time.Now()))})
		return
	}
	s.serveJSON(w, http.StatusOK, struct {
		Buckets  []bucket  `json:"buckets"`
		ListedAt time.Time `json:"listedAt"`
		Identity string    `json:"identity"`
	}{now.Buckets, now.ListedAt, now.Identity})
}

func (s *site) serveJSON(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		s.log.Debug("a client went away", "error", err.Error())
	}
}

// servePage shows all of it to a person.
func (s *site) servePage(w http.ResponseWriter, _ *http.Request) {
	view := pageView{snapshot: s.status.snapshot(), role: s.roleARN, now: time.Now()}
	if unready := s.status.unready(view.now); unready != nil {
		view.unready = unready.reason
	}
	view.token, view.tokenError = readToken(s.tokenFile)

	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
	if _, err := io.WriteString(w, string(view.page())); err != nil {
		s.log.Debug("a client went away", "error", err.Error())
	}
}
