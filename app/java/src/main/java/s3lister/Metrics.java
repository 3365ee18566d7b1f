package s3lister;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;

/** What Prometheus scrapes, under the names that the lister in Go has. */
final class Metrics {
  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final Counter listings =
      Counter.builder()
          .name("s3_lister_listings_total")
          .help("Listings of the buckets, by result: success or error.")
          .labelNames("result")
          .register(registry);
  private final Histogram duration =
      Histogram.builder()
          .name("s3_lister_listing_duration_seconds")
          .help("Time that a listing took, with all its pages and retries.")
          .classicOnly()
          .classicUpperBounds(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
          .register(registry);
  private final Gauge buckets =
      Gauge.builder()
          .name("s3_lister_buckets")
          .help("Buckets in the last successful listing.")
          .register(registry);
  private final Gauge lastSuccess =
      Gauge.builder()
          .name("s3_lister_last_success_timestamp_seconds")
          .help("Unix time of the last successful listing; 0 before the first.")
          .register(registry);

  /** The token's expiry is there only if {@code tokenFile} is not empty. */
  Metrics(String tokenFile) {
    // Both exist from the start: a rate over a series that appears with its first error misses that error.
    listings.initLabelValues("success");
    listings.initLabelValues("error");
    if (!tokenFile.isEmpty()) {
      GaugeWithCallback.builder()
          .name("s3_lister_token_expiry_timestamp_seconds")
          .help("Unix time at which the web identity token in the file expires; 0 when it cannot be read.")
          .callback(callback -> callback.call(expiry(tokenFile)))
          .register(registry);
    }
  }

  private static double expiry(String tokenFile) {
    try {
      Instant expires = Token.read(tokenFile).expires();
      return expires == null ? 0 : expires.getEpochSecond();
    } catch (IOException unreadable) {
      return 0;
    }
  }

  void listed(int count, Duration took) {
    listings.labelValues("success").inc();
    duration.observe(took.toNanos() / 1e9);
    buckets.set(count);
    lastSuccess.set(Instant.now().toEpochMilli() / 1e3);
  }

  void failed(Duration took) {
    listings.labelValues("error").inc();
    duration.observe(took.toNanos() / 1e9);
  }

  /** All of it in Prometheus's text format. */
  byte[] text() throws IOException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    PrometheusTextFormatWriter.create().write(text, registry.scrape());
    return text.toByteArray();
  }
}
