package s3lister;

import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a person or a Deployment decides. Region and credentials are not among them: the AWS SDK takes both from its own
 * environment.
 *
 * @param interval between the end of a listing and the next.
 * @param timeout of one listing, from fetching credentials to the last page, retries included.
 * @param listen address of the HTTP server, {@code host:port}; without a host all addresses.
 * @param drain from turning unready to refusing connections.
 * @param roleArn what the pod identity webhook put into the pod; only shown. Empty outside of one.
 * @param tokenFile the same.
 */
record Settings(
    boolean once,
    boolean help,
    Duration interval,
    Duration timeout,
    String listen,
    Duration drain,
    String roleArn,
    String tokenFile) {

  static final String USAGE =
      """
      Usage: s3-lister [flags]

      Lists the S3 buckets of the account that the AWS credentials in the environment belong to.
        --once            print the buckets and exit
        --interval=60s    time between two listings, at least 1s (also LIST_INTERVAL)
        --timeout=20s     time that one listing may take, retries included
        --listen=:8080    address of the HTTP server
        --drain=1s        time to go on serving after SIGTERM, while /readyz is already red
      """;

  /**
   * Reads flags, then the environment, then defaults.
   *
   * @throws IllegalArgumentException in one line, for the person who typed it.
   */
  static Settings parse(String[] args, Map<String, String> env) {
    boolean once = false;
    boolean help = false;
    Duration interval = Duration.ofSeconds(60);
    Duration timeout = Duration.ofSeconds(20);
    String listen = ":8080";
    Duration drain = Duration.ofSeconds(1);
    String fromEnv = env.getOrDefault("LIST_INTERVAL", "");
    if (!fromEnv.isEmpty()) {
      try {
        interval = duration(fromEnv);
      } catch (IllegalArgumentException problem) {
        throw new IllegalArgumentException(
            "LIST_INTERVAL is \"%s\", it must be a duration such as 60s or 5m".formatted(fromEnv));
      }
    }
    for (int i = 0; i < args.length; i++) {
      Matcher flag = Pattern.compile("--?([a-z]+)(?:=(.*))?").matcher(args[i]);
      if (!flag.matches()) throw unknown(args[i]);
      String name = flag.group(1);
      if (name.equals("once") || name.equals("help") || name.equals("h")) {
        if (flag.group(2) != null) throw unknown(args[i]);
        once |= name.equals("once");
        help |= !name.equals("once");
        continue;
      }
      String value = flag.group(2);
      if (value == null && i + 1 < args.length) value = args[++i];
      if (value == null) throw new IllegalArgumentException("flag needs an argument: --" + name);
      switch (name) {
        case "interval" -> interval = of(name, value);
        case "timeout" -> timeout = of(name, value);
        case "drain" -> drain = of(name, value);
        case "listen" -> listen = value;
        default -> throw unknown(args[i]);
      }
    }
    if (interval.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException("the interval is %s, it must be at least 1s".formatted(text(interval)));
    }
    if (timeout.isZero() || timeout.isNegative()) {
      throw new IllegalArgumentException("the timeout is %s, it must be more than 0s".formatted(text(timeout)));
    }
    if (drain.isNegative()) {
      throw new IllegalArgumentException("the drain time is %s, it may not be negative".formatted(text(drain)));
    }
    return new Settings(
        once,
        help,
        interval,
        timeout,
        listen,
        drain,
        env.getOrDefault("AWS_ROLE_ARN", ""),
        env.getOrDefault("AWS_WEB_IDENTITY_TOKEN_FILE", ""));
  }

  private static IllegalArgumentException unknown(String argument) {
    return new IllegalArgumentException("unknown argument \"%s\", see s3-lister --help".formatted(argument));
  }

  private static Duration of(String name, String value) {
    try {
      return duration(value);
    } catch (IllegalArgumentException problem) {
      throw new IllegalArgumentException(
          "invalid value \"%s\" for flag --%s: it must be a duration such as 60s or 5m".formatted(value, name));
    }
  }

  private static final Pattern PART = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|s|m|h)");

  /** A duration as Go and Kubernetes write it: {@code 1m30s}, {@code 500ms}, {@code -1s}, {@code 0}. */
  static Duration duration(String text) {
    if (text.equals("0")) return Duration.ZERO;
    String digits = text.startsWith("-") ? text.substring(1) : text;
    Matcher part = PART.matcher(digits);
    double seconds = 0;
    int end = 0;
    while (part.find() && part.start() == end) {
      end = part.end();
      double unit =
          switch (part.group(2)) {
            case "ms" -> 0.001;
            case "s" -> 1;
            case "m" -> 60;
            default -> 3600;
          };
      seconds += Double.parseDouble(part.group(1)) * unit;
    }
    if (end == 0 || end != digits.length()) throw new IllegalArgumentException(text);
    return Duration.ofMillis(Math.round(seconds * 1000 * (digits.equals(text) ? 1 : -1)));
  }

  /** A duration as Go prints it, for whole numbers of seconds and what is less. */
  static String text(Duration duration) {
    long millis = duration.toMillis();
    if (millis != 0 && Math.abs(millis) < 1000) return millis + "ms";
    long seconds = duration.toSeconds();
    if (Math.abs(seconds) < 60) return seconds + "s";
    String rest = Math.abs(seconds % 60) + "s";
    long minutes = seconds / 60;
    return Math.abs(minutes) < 60 ? minutes + "m" + rest : minutes / 60 + "h" + Math.abs(minutes % 60) + "m" + rest;
  }
}
