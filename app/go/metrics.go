package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	vm "github.com/VictoriaMetrics/metrics"
)

// metrics are what Prometheus scrapes. Not on Prometheus' own client: that one brings protobuf and reflection, 3 MB of a
// binary of 13.
type metrics struct {
	families []family

	success, failure *vm.Counter
	duration         *vm.PrometheusHistogram
	buckets          *vm.Gauge
	lastSuccess      *vm.Gauge
}

// family is the series of one name.
type family struct {
	name, kind, help string
	series           *vm.Set
}

// newMetrics makes everything. The token's expiry is there only if tokenFile is not "".
func newMetrics(tokenFile string) *metrics {
	m := &metrics{}
	listings := m.add("s3_lister_listings_total", "counter", "Listings of the buckets, by result: success or error.")
	// Both exist from the start: a rate over a series that appears with its first error misses that error.
	m.success = listings.NewCounter(`s3_lister_listings_total{result="success"}`)
	m.failure = listings.NewCounter(`s3_lister_listings_total{result="error"}`)
	m.duration = m.add("s3_lister_listing_duration_seconds", "histogram",
		"Time that a listing took, with all its pages and retries.").
		NewPrometheusHistogramExt("s3_lister_listing_duration_seconds",
			[]float64{0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20})
	m.buckets = m.gauge("s3_lister_buckets", "Buckets in the last successful listing.", nil)
	m.lastSuccess = m.gauge("s3_lister_last_success_timestamp_seconds",
		"Unix time of the last successful listing; 0 before the first.", nil)
	if tokenFile != "" {
		m.gauge("s3_lister_token_expiry_timestamp_seconds",
			"Unix time at which the web identity token in the file expires; 0 when it cannot be read.",
			func() float64 {
				token, err := readToken(tokenFile)
				if err != nil || token.Expires.IsZero() {
					return 0
				}
				return float64(token.Expires.Unix())
			})
	}
	return m
}

func (m *metrics) add(name, kind, help string) *vm.Set {
	series := vm.NewSet()
	m.families = append(m.families, family{name, kind, help, series})
	return series
}

// gauge adds a gauge that asks value each time; one without is set.
func (m *metrics) gauge(name, help string, value func() float64) *vm.Gauge {
	return m.add(name, "gauge", help).NewGauge(name, value)
}

func (m *metrics) listed(buckets int, took time.Duration) {
	m.success.Inc()
	m.duration.Update(took.Seconds())
	m.buckets.Set(float64(buckets))
	m.lastSuccess.Set(float64(time.Now().UnixMilli()) / 1e3)
}

func (m *metrics) failed(took time.Duration) {
	m.failure.Inc()
	m.duration.Update(took.Seconds())
}

// write writes all of it, and what is known of the process, in Prometheus' text format.
func (m *metrics) write(w io.Writer) {
	for _, family := range m.families {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", family.name, family.help, family.name, family.kind)
		family.series.WritePrometheus(w)
	}
	vm.WriteGoMetrics(w)
	vm.WriteProcMetrics(w)
	vm.WriteFDMetrics(w)
}

func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.write(w)
}
