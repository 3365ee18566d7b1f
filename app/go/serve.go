package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// shutdownTimeout is how long requests under way may take to end. With the drain time it must stay below the pod's
// terminationGracePeriodSeconds.
const shutdownTimeout = 10 * time.Second

// serve lists on the interval and serves the results until the context ends; then it turns unready, goes on serving
// for the drain time, ends the requests under way, and returns nil.
func serve(ctx context.Context, settings settings, stdout, stderr io.Writer) error {
	log := slog.New(slog.NewJSONHandler(stderr, nil))
	var unreadable *tokenUnreadableError
	token, err := readToken(settings.tokenFile)
	if errors.As(err, &unreadable) {
		return err
	}
	if err != nil {
		// Not the end: STS says more precisely what it thinks of the token, and a later one may be good.
		log.Warn("the web identity token is odd", "error", err.Error())
	}
	account, err := openAccount(ctx, settings.timeout)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", settings.listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", settings.listen, err)
	}
	logStart(log, settings, listener.Addr(), token)

	metrics := newMetrics(settings.tokenFile)
	// The time that listings take is no sign of staleness, so the timeout comes on top.
	status := &status{staleAfter: 3*settings.interval + settings.timeout}
	watch := &watch{
		source:   account,
		interval: settings.interval,
		timeout:  settings.timeout,
		status:   status,
		metrics:  metrics,
		log:      log,
		stdout:   stdout,
	}
	site := &site{roleARN: settings.roleARN, tokenFile: settings.tokenFile, status: status, metrics: metrics, log: log}
	server := &http.Server{
		Handler:           site.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}

	watching := make(chan struct{})
	go func() {
		defer close(watching)
		watch.run(ctx)
	}()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	select {
	case err := <-served:
		return fmt.Errorf("the HTTP server ended: %w", err)
	case <-ctx.Done():
	}
	status.stop()
	log.Info("stopping", "drain_seconds", settings.drain.Seconds())
	time.Sleep(settings.drain)

	// ctx has ended, and with it every context made from it: this one starts anew.
	ending, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		log.Warn("cut off requests that did not end", "after_seconds", shutdownTimeout.Seconds())
		server.Close()
	}
	<-watching
	log.Info("stopped")
	return nil
}

func logStart(log *slog.Logger, settings settings, address net.Addr, token *claims) {
	log = log.With(
		"address", address.String(),
		"interval_seconds", settings.interval.Seconds(),
		"role", settings.roleARN,
		"token_file", settings.tokenFile,
	)
	if token != nil {
		log = log.With("subject", token.Subject, "audience", token.Audience, "token_expires", token.Expires)
	}
	log.Info("starting")
}
