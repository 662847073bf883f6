"""Explainers that look at the maps of a layer: CAM and its kin, and the references of Libra-CAM."""
