package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are what Prometheus scrapes, in a registry of their own.
type metrics struct {
	registry    *prometheus.Registry
	listings    *prometheus.CounterVec
	duration    prometheus.Histogram
	buckets     prometheus.Gauge
	lastSuccess prometheus.Gauge
}

// newMetrics registers everything. The token's expiry is there only if tokenFile is not "".
func newMetrics(tokenFile string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		listings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "s3_lister_listings_total",
			Help: "Listings of the buckets, by result: success or error.",
		}, []string{"result"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "s3_lister_listing_duration_seconds",
			Help:    "Time that a listing took, with all its pages and retries.",
			Buckets: []float64{0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20},
		}),
		buckets: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "s3_lister_buckets",
			Help: "Buckets in the last successful listing.",
		}),
		lastSuccess: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "s3_lister_last_success_timestamp_seconds",
			Help: "Unix time of the last successful listing; 0 before the first.",
		}),
	}
	m.registry.MustRegister(m.listings, m.duration, m.buckets, m.lastSuccess,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if tokenFile != "" {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "s3_lister_token_expiry_timestamp_seconds",
			Help: "Unix time at which the web identity token in the file expires; 0 when it cannot be read.",
		}, func() float64 {
			token, err := readToken(tokenFile)
			if err != nil || token.Expires.IsZero() {
				return 0
			}
			return float64(token.Expires.Unix())
		}))
	}
	// Both exist from the start: a rate over a series that appears with its first error misses that error.
	m.listings.WithLabelValues("success")
	m.listings.WithLabelValues("error")
	return m
}

func (m *metrics) listed(buckets int, took time.Duration) {
	m.listings.WithLabelValues("success").Inc()
	m.duration.Observe(took.Seconds())
	m.buckets.Set(float64(buckets))
	m.lastSuccess.SetToCurrentTime()
}

func (m *metrics) failed(took time.Duration) {
	m.listings.WithLabelValues("error").Inc()
	m.duration.Observe(took.Seconds())
}
