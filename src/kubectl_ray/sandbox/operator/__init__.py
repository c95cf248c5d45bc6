"""What the KubeRay operator does: RayCluster, RayJob and RayService in; pods, services and statuses out."""
