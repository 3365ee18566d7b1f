package s3lister;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import s3lister.Buckets.Bucket;

/** Lists the buckets again and again. No failure ends it. */
final class Watch implements Runnable {
  /**
   * The pause after a first failed listing; it doubles with each further one, up to the interval. Short, since a new role or
   * policy works some seconds after IAM has accepted it, and the rollout waits for that.
   */
  static final Duration FIRST_RETRY = Duration.ofSeconds(1);

  private final Source source;
  private final Duration interval;
  private final Status status;
  private final Metrics metrics;
  private final Log log;
  private final PrintStream out;

  Watch(Source source, Duration interval, Status status, Metrics metrics, Log log, PrintStream out) {
    this.source = source;
    this.interval = interval;
    this.status = status;
    this.metrics = metrics;
    this.log = log;
    this.out = out;
  }

  /** Lists at once and then on the interval, after a failure sooner, until the thread is interrupted. */
  @Override
  public void run() {
    try {
      while (true) {
        list();
        int failures = status.snapshot().failures();
        Thread.sleep((failures > 0 ? retryPause(failures) : interval).toMillis());
      }
    } catch (InterruptedException end) {
      // The server stops.
    }
  }

  /** Makes one listing and tells everyone how it went. One that was interrupted did not happen. */
  void list() throws InterruptedException {
    Status.Snapshot before = status.snapshot();
    Instant started = Instant.now();
    List<Bucket> buckets = List.of();
    Exception problem = null;
    try {
      buckets = source.buckets();
    } catch (InterruptedException end) {
      throw end;
    } catch (Exception failure) {
      problem = failure;
    }
    Duration took = Duration.between(started, Instant.now());
    // At once, before anyone is asked anything more.
    if (problem == null && (before.listedAt() == null || !before.buckets().equals(buckets))) Buckets.print(out, buckets);
    // Also when S3 refused: then it tells whom. Without credentials asking would only try, and fail, to fetch them again.
    String identity = problem == null || Explain.reachedS3(problem) ? identify() : "";
    double seconds = took.toNanos() / 1e9;
    if (problem != null) {
      String explanation = Explain.explain(problem);
      status.failed(explanation, identity, Instant.now());
      metrics.failed(took);
      log.write(
          "ERROR",
          "listing failed",
          "duration_seconds", seconds,
          "identity", identity,
          "code", Explain.code(problem),
          "error", explanation,
          "failures", before.failures() + 1);
      return;
    }
    status.listed(buckets, identity, Instant.now());
    metrics.listed(buckets.size(), took);
    log.write("INFO", "listed the buckets", "duration_seconds", seconds, "identity", identity, "count", buckets.size());
  }

  /** ARN of whoever listed, empty when STS does not say: a listing counts without it. */
  private String identify() throws InterruptedException {
    try {
      return source.identity();
    } catch (InterruptedException end) {
      throw end;
    } catch (Exception problem) {
      log.write("WARN", "the identity is not known", "code", Explain.code(problem), "error", Explain.explain(problem));
      return "";
    }
  }

  /** The pause after that many failures in a row, a fifth more or less, so that replicas do not ask in step. */
  private Duration retryPause(int failures) {
    long doubled = FIRST_RETRY.toMillis() << Math.min(failures - 1, 20);
    double spread = 0.8 + 0.4 * ThreadLocalRandom.current().nextDouble();
    return Duration.ofMillis((long) (Math.min(doubled, interval.toMillis()) * spread));
  }
}
