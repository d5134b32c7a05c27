# SPDX-License-Identifier: Apache-2.0
"""A subset again on af_packet, whose receive path, tags and queues are others than the tap's.

Not here is what the kernel keeps from the driver: it reassembles IPv4 fragments on their way in, takes an
802.1ad tag for an 802.1Q one, and drops frames cut short behind a tag."""

from ipnet import CONFIG  # noqa: F401
from test_forward import (  # noqa: F401
    test_back_out_of_the_same_port, test_burst_keeps_order, test_ecmp, test_ip6, test_longest_prefix_ip4,
    test_mixed_burst, test_padding_is_cut, test_priority_of_a_tag_is_ignored, test_priority_tag_is_untagged,
    test_untagged_to_vlan_of_same_vrf, test_vlan_stays_in_its_vrf)
from test_icmp_error import test_ip6 as test_error_ip6  # noqa: F401
from test_local import test_echo_in_vlan, test_echo_ip4, test_echo_ip6, test_echo_to_group  # noqa: F401
from test_malformed import (  # noqa: F401
    test_ip4_truncated_header, test_ip6_truncated_header, test_not_for_us,
    test_unknown_vlan)

DEVICE = "af_packet"
