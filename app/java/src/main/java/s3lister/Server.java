package s3lister;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Lists on the interval and serves the results until it is told to stop. */
final class Server {
  /** How long requests under way may take to end. With the drain time it must stay below the pod's grace period. */
  static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(10);

  /** Requests that are answered at once; more wait. */
  private static final int THREADS = 16;

  private final Settings settings;
  private final Map<String, String> env;
  private final PrintStream out;
  private final Log log;
  private final CountDownLatch stopping = new CountDownLatch(1);

  Server(Settings settings, Map<String, String> env, PrintStream out, PrintStream err) {
    this.settings = settings;
    this.env = env;
    this.out = out;
    this.log = new Log(err);
  }

  /** Serves until SIGTERM; then turns unready, goes on for the drain time, and ends the requests. */
  void run() throws Exception {
    Thread serving = Thread.currentThread();
    Thread onSignal = new Thread(() -> stopAndWait(serving));
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      serve();
    } finally {
      try {
        Runtime.getRuntime().removeShutdownHook(onSignal);
      } catch (IllegalStateException endingAlready) {
        // The hook is what called for the end. The exit code of a JVM that a signal ends is the signal's: it was asked for.
        Runtime.getRuntime().halt(0);
      }
    }
  }

  /** Does not return once the JVM ends: its exit code would be the signal's before {@link #run} can say 0. */
  private void stopAndWait(Thread serving) {
    stopping.countDown();
    try {
      serving.join();
    } catch (InterruptedException end) {
      Thread.currentThread().interrupt();
    }
  }

  private void serve() throws Exception {
    Token.requireReadable(settings.tokenFile());
    try (Account account = new Account(settings.timeout(), env)) {
      Token token = token();
      Metrics metrics = new Metrics(settings.tokenFile());
      // The time that listings take is no sign of staleness, so the timeout comes on top.
      Status status = new Status(settings.interval().multipliedBy(3).plus(settings.timeout()));
      ExecutorService workers = Executors.newFixedThreadPool(THREADS);
      HttpServer server = listen();
      server.createContext("/", new Site(settings, status, metrics, log));
      server.setExecutor(workers);
      server.start();
      logStart(server.getAddress(), token);
      Thread watch = new Thread(new Watch(account, settings.interval(), status, metrics, log, out), "watch");
      watch.start();

      stopping.await();
      status.stop();
      log.write("INFO", "stopping", "drain_seconds", settings.drain().toMillis() / 1e3);
      Thread.sleep(settings.drain().toMillis());
      watch.interrupt();
      server.stop(0);
      workers.shutdown();
      watch.join(SHUTDOWN_TIMEOUT.toMillis());
      log.write("INFO", "stopped");
    }
  }

  /** What the token says; null when there is none, or nothing to be read in it. */
  private Token token() throws IOException {
    try {
      return Token.read(settings.tokenFile());
    } catch (Token.UnreadableException problem) {
      throw problem;
    } catch (IOException problem) {
      // Not the end: STS says more precisely what it thinks of the token, and a later one may be good.
      log.write("WARN", "the web identity token is odd", "error", problem.getMessage());
      return null;
    }
  }

  private HttpServer listen() throws IOException {
    // Head and body of an answer are two packets. Without this the second one waits until the client has acknowledged the
    // first, which on a connection that is kept it does 40 ms later.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    // Beyond 200, the default, it closes connections that clients were told to keep: their next request fails.
    System.setProperty("sun.net.httpserver.maxIdleConnections", "1000");
    int colon = settings.listen().lastIndexOf(':');
    try {
      String host = settings.listen().substring(0, Math.max(colon, 0));
      int number = Integer.parseInt(settings.listen().substring(colon + 1));
      return HttpServer.create(host.isEmpty() ? new InetSocketAddress(number) : new InetSocketAddress(host, number), 0);
    } catch (IOException | IllegalArgumentException problem) {
      throw new IOException("cannot listen on %s: %s".formatted(settings.listen(), problem.getMessage()), problem);
    }
  }

  private void logStart(InetSocketAddress address, Token token) {
    Object[] details = {
      "address", address.toString(),
      "interval_seconds", settings.interval().toMillis() / 1e3,
      "role", settings.roleArn(),
      "token_file", settings.tokenFile(),
      "subject", token == null ? "" : token.subject(),
      "audience", token == null ? List.of() : token.audience(),
      "token_expires", token == null || token.expires() == null ? "" : token.expires().toString(),
    };
    log.write("INFO", "starting", details);
  }
}
