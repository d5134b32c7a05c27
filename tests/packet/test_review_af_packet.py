# SPDX-License-Identifier: Apache-2.0
"""Tags of layer-2 ports once more on af_packet, whose kernel side takes tags off and reports them aside."""

from test_review_datapath import CONFIG, IGNORE, test_tagged_frame_of_full_length, \
    test_tags_of_a_layer_2_port  # noqa: F401

DEVICE = "af_packet"
