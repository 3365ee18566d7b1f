package s3lister;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import software.amazon.awssdk.core.SdkSystemSetting;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.SdkHttpService;
import software.amazon.awssdk.http.urlconnection.ProxyConfiguration;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.utils.AttributeMap;

/**
 * The HTTP client of all the SDK's clients, over the JVM's own connections: they share one setup of TLS, made when one of
 * them first needs it. The SDK's own makes it anew for each, needed or not, which is a fifth of the start.
 */
public final class Http implements SdkHttpService {
  private static volatile Duration readTimeout = Duration.ofSeconds(5);

  /** Has the SDK take this, also for the client that it makes for itself to swap the token. */
  static void use(Duration readTimeout) {
    Http.readTimeout = readTimeout;
    System.setProperty(SdkSystemSetting.SYNC_HTTP_SERVICE_IMPL.property(), Http.class.getName());
  }

  private interface Builder extends SdkHttpClient.Builder<Builder> {}

  @Override
  public SdkHttpClient.Builder<?> createHttpClientBuilder() {
    return (Builder) defaults -> client(defaults.merge(SdkHttpConfigurationOption.GLOBAL_HTTP_DEFAULTS));
  }

  private static SdkHttpClient client(AttributeMap options) {
    Duration connectTimeout = options.get(SdkHttpConfigurationOption.CONNECTION_TIMEOUT);
    // What the SDK's own client takes from environment and system properties.
    ProxyConfiguration proxy = ProxyConfiguration.builder().build();
    return UrlConnectionHttpClient.create(
        uri -> {
          HttpURLConnection connection = open(uri, proxy);
          connection.setConnectTimeout(Math.toIntExact(connectTimeout.toMillis()));
          connection.setReadTimeout(Math.toIntExact(readTimeout.toMillis()));
          return connection;
        });
  }

  private static HttpURLConnection open(URI uri, ProxyConfiguration proxy) {
    try {
      String host = uri.getHost().toLowerCase(Locale.ROOT);
      if (proxy.host() == null || proxy.nonProxyHosts().stream().anyMatch(host::matches)) {
        return (HttpURLConnection) uri.toURL().openConnection();
      }
      var address = InetSocketAddress.createUnresolved(proxy.host(), proxy.port());
      var connection = (HttpURLConnection) uri.toURL().openConnection(new Proxy(Proxy.Type.HTTP, address));
      if (proxy.username() != null && proxy.password() != null) {
        byte[] user = (proxy.username() + ":" + proxy.password()).getBytes(StandardCharsets.UTF_8);
        connection.setRequestProperty("proxy-authorization", "Basic " + Base64.getEncoder().encodeToString(user));
      }
      return connection;
    } catch (IOException problem) {
      throw new UncheckedIOException(problem);
    }
  }
}
