package software.amazon.awssdk.regions;

import java.util.Map;
import software.amazon.awssdk.regions.servicemetadata.EnhancedS3ServiceMetadata;
import software.amazon.awssdk.regions.servicemetadata.StsServiceMetadata;

/**
 * Stands before the SDK's own class of this name, which makes the metadata of all 400 services when it is asked for one: a
 * seventh of the start. These two are the SDK's own; for any other the SDK takes its defaults.
 */
public final class GeneratedServiceMetadataProvider implements ServiceMetadataProvider {
  private static final Map<String, ServiceMetadata> SERVICE_METADATA =
      Map.of("s3", new EnhancedS3ServiceMetadata(), "sts", new StsServiceMetadata());

  @Override
  public ServiceMetadata serviceMetadata(String endpointPrefix) {
    return SERVICE_METADATA.get(endpointPrefix);
  }
}
