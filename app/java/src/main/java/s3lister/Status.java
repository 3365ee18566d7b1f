package s3lister;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import s3lister.Buckets.Bucket;

/** The result of the listings for those who ask. Safe for concurrent use. */
final class Status {
  /** How many listings in a row must fail before a pod that was ready no longer is. */
  static final int FAILURES_UNTIL_UNREADY = 3;

  /**
   * What is known at one moment.
   *
   * @param listedAt of the last successful listing; null before the first.
   * @param identity ARN of the last listing, failed or not; empty when it is not known.
   * @param failures in a row, since {@code listedAt}.
   * @param error of the last failure; empty after a success.
   */
  record Snapshot(
      List<Bucket> buckets, Instant listedAt, String identity, int failures, String error, Instant failedAt) {}

  /**
   * Why a pod is not ready.
   *
   * @param cause the last listing's error; empty where that is not why.
   */
  record Unreadiness(String reason, String cause) {
    @Override
    public String toString() {
      return cause.isEmpty() ? reason : reason + ": " + cause;
    }
  }

  /** Age at which a listing no longer counts. */
  private final Duration staleAfter;

  private Snapshot now = new Snapshot(List.of(), null, "", 0, "", null);
  private boolean stopping;

  Status(Duration staleAfter) {
    this.staleAfter = staleAfter;
  }

  synchronized Snapshot snapshot() {
    return now;
  }

  synchronized void listed(List<Bucket> buckets, String identity, Instant at) {
    now = new Snapshot(List.copyOf(buckets), at, identity, 0, "", null);
  }

  synchronized void failed(String explanation, String identity, Instant at) {
    now = new Snapshot(now.buckets(), now.listedAt(), identity, now.failures() + 1, explanation, at);
  }

  /** Makes the status unready for good. */
  synchronized void stop() {
    stopping = true;
  }

  /** Why the pod is not ready at that time; null when it is. */
  synchronized Unreadiness unready(Instant at) {
    if (stopping) return new Unreadiness("stopping", "");
    if (now.listedAt() == null) {
      return new Unreadiness(
          now.failures() == 0 ? "the first listing is under way" : "no listing has succeeded yet", now.error());
    }
    if (now.failures() >= FAILURES_UNTIL_UNREADY) {
      return new Unreadiness("the last %d listings failed".formatted(now.failures()), now.error());
    }
    Duration age = Duration.between(now.listedAt(), at);
    if (age.compareTo(staleAfter) <= 0) return null;
    String old = Settings.text(Duration.ofSeconds(age.toSeconds()));
    return new Unreadiness("the last successful listing is %s old".formatted(old), now.error());
  }
}
