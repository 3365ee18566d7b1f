package s3lister;

import java.io.PrintStream;
import java.util.Map;

/**
 * Lists the S3 buckets of the AWS account that its credentials belong to. In a pod on EKS those credentials come from IRSA:
 * the pod's token, swapped at STS for one IAM role's. It is the proof that this works. The same as {@code app/go}, in Java.
 *
 * <p>It runs as a server that lists on an interval and shows what it found, or once with {@code --once}.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(run(args, System.getenv(), System.out, System.err));
  }

  /**
   * The whole program but for its exit. The buckets go to {@code out}, everything else to {@code err}.
   *
   * @return the exit code: 0 done or stopped as asked, 1 an error, 2 wrong arguments.
   */
  static int run(String[] args, Map<String, String> env, PrintStream out, PrintStream err) {
    Settings settings;
    try {
      settings = Settings.parse(args, env);
    } catch (IllegalArgumentException problem) {
      err.println("s3-lister: " + problem.getMessage());
      return 2;
    }
    if (settings.help()) {
      err.print(Settings.USAGE);
      return 0;
    }
    try {
      if (settings.once()) listOnce(settings, env, out);
      else new Server(settings, env, out, err).run();
      return 0;
    } catch (Exception problem) {
      err.println("s3-lister: " + Explain.explain(problem));
      return 1;
    }
  }

  private static void listOnce(Settings settings, Map<String, String> env, PrintStream out) throws Exception {
    Token.requireReadable(settings.tokenFile());
    try (Account account = new Account(settings.timeout(), env)) {
      Buckets.print(out, account.buckets());
    }
  }
}
