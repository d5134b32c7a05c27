// SPDX-License-Identifier: Apache-2.0

// Every refusal of a configuration, word for word: file, line, key, and what would be right.

#include "tests/unit/conf_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct refused refused_texts[] = {
	{"hostname = ;", "f:1: syntax error"},
	{"a = 1\n]\n", "f:2: syntax error"},
	{"\n\nhostname = \"x\ny\n", "f:3: this string has no closing quote"},
	{"hostname = \"a\";\nhostname = \"b\";", "f:2: duplicate setting name"},
	{"\n@include \"x.cfg\"\n", "f:2: @include is only for files"},
	{"@foo", "f:1: syntax error; '@' stands only before include"},
	{"\nworkers = { idle_sleep_us = 4294967306; };",
		"f:2: 4294967306 is more than 32 bits hold; with an L behind it is a large "
		"integer: 4294967306L"},
	{"workers = { mbufs = 0x100000000; };", "f:1: 0x100000000 is more than 32 bits hold; with "
						"an L behind it is a large integer: 0x100000000L"},
	{"workers = { mbufs = 99999999999999999999L; };",
		"f:1: 99999999999999999999 is more than 64 bits hold"},
	{"hostname = \"a\\x00b\";", "f:1: a string cannot hold \"\\x00\"; a secret with such bytes "
				    "goes into \"secret_hex\""},
	{"hostnam = \"x\";", "f:1: hostnam: unknown key; did you mean \"hostname\"?"},
	{"\nzzz = 1;",
		"f:2: zzz: unknown key; one of hostname, control_socket, log_level, eal, "
		"workers, icmp, l7, ports, neighbors, vrfs, srv6, service_networks, listeners, "
		"route_configurations, clusters, xds"},
	{"workers = { core = [ 1 ]; };", "f:1: workers.core: unknown key; did you mean \"cores\"?"},
	{"eal = 1;", "f:1: eal: must be a group { ... }, not an integer"},
	{"eal = { args = \"x\"; };", "f:1: eal.args: must be a list ( ... ), not a string"},
	{"eal = { args = [ 1 ]; };",
		"f:1: eal.args[0]: must be a string in quotes, not an integer"},
	{"hostname = 5;", "f:1: hostname: must be a string in quotes, not an integer"},
	{"hostname = \"a b\";",
		"f:1: hostname: \"a b\" is not a name; 1 to 63 letters, digits, '-', '_' and '.'"},
	{"hostname = \"a\nb\";",
		"f:1: hostname: \"a?b\" is not a name; 1 to 63 letters, digits, '-', '_' and '.'"},
	{"control_socket = \"\";", "f:1: control_socket: must not be empty"},
	{"log_level = \"loud\";", "f:1: log_level: \"loud\" is not a known log_level; one of "
				  "error, warning, notice, info, debug"},
	{"log_level = true;", "f:1: log_level: must be a string in quotes, not a boolean"},
	{"eal = { main_core = \"first\"; };",
		"f:1: eal.main_core: is not a list of cores; write \"0\" or \"0,2-3\""},
	{"eal = { huge_pages = 1; };",
		"f:1: eal.huge_pages: must be true or false, not an integer"},
	{"eal = { memory_mb = -1; };", "f:1: eal.memory_mb: -1 is out of range; 0 to 1048576"},
	{"eal = { memory_mb = 1.5; };", "f:1: eal.memory_mb: must be an integer, not a fraction"},
	{"workers = { count = 65; };", "f:1: workers.count: 65 is out of range; 1 to 64"},
	{"workers = { count = 2; cores = [ 1 ]; };",
		"f:1: workers.cores: 1 cores for 2 workers; give one for each"},
	{"workers = { cores = [ 1, 5000 ]; };",
		"f:1: workers.cores[1]: 5000 is out of range; 0 to 1023"},
	{"workers = { idle = \"sleep\"; };",
		"f:1: workers.idle: \"sleep\" is not a known idle; one of poll, backoff"},
	{"icmp = { errors_per_s = 0; };",
		"f:1: icmp.errors_per_s: 0 is out of range; 1 to 10000000"},
	{"icmp = { burst = [ ]; };", "f:1: icmp.burst: must be an integer, not an array"},
	{"control_socket = "
	 "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	 "xxxxxxxxxxxxxxxxxxxxx\";",
		"f:1: control_socket: 108 characters; at most 107"},
	{"ports = { name = \"a\"; };", "f:1: ports: must be a list ( ... ), not a group"},
	{"ports = ( 1 );", "f:1: ports[0]: must be a group { ... }, not an integer"},
	{"ports = ({ device = \"net_null0\"; });", "f:1: ports[0]: \"name\" is missing"},
	{"ports = ({ name = \"a\"; });", "f:1: ports[0]: \"device\" is missing"},
	{"ports = ({ name = \"a\"; device = \"net_null0\"; addresses = [ \"10.0.0.1/24\",\n "
	 "\"10.0.0.1/16\" ]; });",
		"f:2: ports[0].addresses[1]: \"10.0.0.1/16\" is given twice, first at f:1; keep "
		"one"},
	{"ports = ({ name = \"a\"; device = \"net_null0\"; vlans = ({ id = 7; },\n{ id = 8; },\n{ "
	 "id = 7; }); });",
		"f:3: ports[0].vlans[2].id: \"7\" is given twice, first at f:1; keep one"},
	{"ports = ({ name = \"a\"; device = \"net_null0\"; },\n{ name = \"a\"; device = \"x\"; });",
		"f:2: ports[1].name: \"a\" is given twice, first at f:1; keep one"},
	{"ports = (\n{ name = \"a.7\"; device = \"x\"; },\n{ name = \"a\"; device = \"y\"; vlans = "
	 "({ id = 7; }); });",
		"f:3: ports[1].vlans[0]: \"a.7\" is given twice, first at f:2; keep one"},
	{"neighbors = ({ address = \"10.0.0.1\"; mac = \"02:00:00:00:00:01\"; });",
		"f:1: neighbors[0]: \"port\" is missing"},
	{"neighbors = ({ port = \"a\"; mac = \"02:00:00:00:00:01\"; });",
		"f:1: neighbors[0]: \"address\" is missing"},
	{"neighbors = ({ port = \"a\"; address = \"10.0.0.1\"; });",
		"f:1: neighbors[0]: \"mac\" is missing"},
	{"neighbors = ({ port = \"a\"; address = \"10.0.0\"; });",
		"f:1: neighbors[0].address: \"10.0.0\" is not an IPv4 or IPv6 address"},
	{"neighbors = ({ port = \"a\"; address = \"10.0.0.1\"; mac = \"02-00-00-00-00-01\"; });",
		"f:1: neighbors[0].mac: \"02-00-00-00-00-01\" is not the MAC address of a "
		"neighbor; write it like \"02:00:00:00:00:99\""},
	{"neighbors = ({ port = \"a\"; address = \"10.0.0.1\"; mac = \"01:00:5e:00:00:01\"; });",
		"f:1: neighbors[0].mac: \"01:00:5e:00:00:01\" is not the MAC address of a "
		"neighbor; write it like \"02:00:00:00:00:99\""},
	{"neighbors = (\n{ port = \"a\"; address = \"10.0.0.1\"; mac = \"02:00:00:00:00:01\"; "
	 "},\n{ port = \"a\"; address = \"10.0.0.1\"; mac = \"02:00:00:00:00:02\"; });",
		"f:3: neighbors[1].address: \"10.0.0.1\" is given twice, first at f:2; keep one"},
	{"vrfs = ({ routes = ( ); });", "f:1: vrfs[0]: \"name\" is missing"},
	{"vrfs = ({ name = \"r\"; icmp_source4 = \"fd00::1\"; });",
		"f:1: vrfs[0].icmp_source4: \"fd00::1\" is not an IPv4 address"},
	{"vrfs = ({ name = \"r\"; icmp_source6 = \"10.0.0.1\"; });",
		"f:1: vrfs[0].icmp_source6: \"10.0.0.1\" is not an IPv6 address"},
	{"vrfs = ({ name = \"r\"; sources = [ \"10.0.0\" ]; });",
		"f:1: vrfs[0].sources[0]: \"10.0.0\" is not an IPv4 or IPv6 address"},
	{"vrfs = ({ name = \"r\"; sources = [ \"10.0.0.1\", \"10.0.1.1/24\" ]; });",
		"f:1: vrfs[0].sources[1]: \"10.0.1.1/24\" has bits past its length; did you mean "
		"\"10.0.1.0/24\"?"},
	{"vrfs = ({ name = \"r\"; sources = \"10.0.0.1\"; });",
		"f:1: vrfs[0].sources: must be a list ( ... ), not a string"},
	{"l7 = { flows = 0; };", "f:1: l7.flows: 0 is out of range; 1 to 2000000"},
	{"l7 = { legs = 2000001; };", "f:1: l7.legs: 2000001 is out of range; 1 to 2000000"},
	{"vrfs = (\n{ name = \"r\"; },\n{ name = \"r\"; });",
		"f:3: vrfs[1].name: \"r\" is given twice, first at f:2; keep one"},
	{"vrfs = ({ name = \"r\"; routes = (\n{ prefix = \"::/0\"; port = \"a\"; },\n{ prefix = "
	 "\"0::/0\"; port = \"b\"; }\n); });",
		"f:3: vrfs[0].routes[1].prefix: \"0::/0\" is given twice, first at f:2; keep one"},
	{"srv6 = { source = \"10.0.0.1\"; };",
		"f:1: srv6.source: \"10.0.0.1\" is not an IPv6 address"},
	{"srv6 = { locators = [ \"2001:db8::\" ]; };",
		"f:1: srv6.locators[0]: \"2001:db8::\" is not a prefix; write an IPv4 or IPv6 "
		"address, '/' and its length"},
	{"srv6 = { locators = [ \"10.0.0.0/8\" ]; };",
		"f:1: srv6.locators[0]: a locator is an IPv6 prefix of /1 to /128, not "
		"\"10.0.0.0/8\""},
	{"srv6 = { locators = [ \"2001:db8::/32\", \"2001:0db8::/32\" ]; };",
		"f:1: srv6.locators[1]: \"2001:0db8::/32\" is given twice, first at f:1; keep one"},
	{"srv6 = { sid = ( ); };", "f:1: srv6.sid: unknown key; did you mean \"sids\"?"},
	{"srv6 = { policies = (\n{ name = \"p\"; segments = [ \"fd00::1\" ]; },\n{ name = \"p\"; "
	 "segments = [ \"fd00::2\" ]; }\n); };",
		"f:3: srv6.policies[1].name: \"p\" is given twice, first at f:2; keep one"},
	{"srv6 = { hmac_keys = (\n{ id = 1; secret = \"hunter2\"; },\n{ id = 1; secret = "
	 "\"hunter3\"; }\n); };",
		"f:3: srv6.hmac_keys[1].id: \"1\" is given twice, first at f:2; keep one"},
};

static const struct refused refused_routes[] = {
	{"via = \"10.0.0.1\";", ": \"prefix\" is missing"},
	{"prefix = \"10.0.0.0/8\";", ": one of \"via\", \"port\", \"policy\", \"paths\", "
				     "\"blackhole\", \"unreachable\" is missing"},
	{"prefix = \"10.0.0.5/24\"; via = \"10.0.0.1\";",
		".prefix: \"10.0.0.5/24\" has bits past its length; did you mean \"10.0.0.0/24\"?"},
	{"prefix = \"10.0.0.0\"; via = \"10.0.0.1\";",
		".prefix: \"10.0.0.0\" is not a prefix; write an IPv4 or IPv6 address, '/' and its "
		"length"},
	{"prefix = \"2001:db8::1/64\"; via = \"fd00::1\";",
		".prefix: \"2001:db8::1/64\" has bits past its length; did you mean "
		"\"2001:db8::/64\"?"},
	{"prefix = \"::/0\"; via = \"fd00::1\"; policy = \"p\";",
		": \"via\" and \"policy\" exclude each other; keep one of them"},
	{"prefix = \"::/0\"; policy = \"p\"; port = \"a\";",
		": \"port\" and \"policy\" exclude each other; keep one of them"},
	{"prefix = \"::/0\"; blackhole = true; unreachable = true;",
		": \"blackhole\" and \"unreachable\" exclude each other; keep one of them"},
	{"prefix = \"::/0\"; blackhole = false;",
		": one of \"via\", \"port\", \"policy\", \"paths\", \"blackhole\", \"unreachable\" "
		"is missing"},
	{"prefix = \"::/0\"; paths = ( );", ".paths: a route needs at least one path"},
	{"prefix = \"::/0\"; paths = ({ weight = 2; });",
		".paths[0]: one of \"via\", \"port\", \"policy\" is missing"},
	{"prefix = \"::/0\"; paths = ({ via = \"fd00::1\"; weight = 0; });",
		".paths[0].weight: 0 is out of range; 1 to 255"},
	{"prefix = \"::/0\"; paths = ({ via = \"fd00::1\"; weight = 256; });",
		".paths[0].weight: 256 is out of range; 1 to 255"},
	{"prefix = \"::/0\"; paths = ({ via = \"fd00::1\"; policy = \"p\"; });",
		".paths[0]: \"policy\" and \"via\" exclude each other; keep one of them"},
	{"prefix = \"::/0\"; via = \"fe80::1\";",
		".via: a link-local address needs \"port\" beside it"},
	{"prefix = \"::/0\"; paths = ({ via = \"fe80::1\"; });",
		".paths[0].via: a link-local address needs \"port\" beside it"},
	{"prefix = \"::/0\"; via = \"fd00::1\"; weight = 3;",
		".weight: unknown key; one of prefix, via, port, policy, paths, blackhole, "
		"unreachable"},
	{"prefix = \"::/0\"; via = \"here\";", ".via: \"here\" is not an IPv4 or IPv6 address"},
};

static const struct refused refused_sids[] = {
	{"behavior = \"End\";", ": \"sid\" is missing"},
	{"sid = \"2001:db8::2\";", ": \"behavior\" is missing"},
	{"sid = \"2001:db8::2\"; behavior = \"End.DT64\";",
		".behavior: \"End.DT64\" is not a known behavior; one of End, End.X, End.T, "
		"End.DX2, End.DX4, End.DX6, End.DT4, End.DT6, End.DT46, End.B6.Encaps, "
		"End.B6.Encaps.Red"},
	{"sid = \"10.0.0.1\"; behavior = \"End\";",
		".sid: \"10.0.0.1\" is not a SID; write an IPv6 address, if it takes arguments "
		"with '/' and its length"},
	{"sid = \"2001:db8::2/129\"; behavior = \"End\";",
		".sid: \"2001:db8::2/129\" is not a SID; write an IPv6 address, if it takes "
		"arguments with '/' and its length"},
	{"sid = \"::/0\"; behavior = \"End\";",
		".sid: \"::/0\" is not a SID; write an IPv6 address, if it takes arguments with "
		"'/' and its length"},
	{"sid = \"2001:db8::2/64\"; behavior = \"End\";",
		".sid: has bits past its length of 64; did you mean \"2001:db8::/64\"?"},
	{"sid = \"2001:db8::1/128\"; behavior = \"End\";",
		".sid: \"2001:db8::1/128\" is given twice, first at f:2; keep one"},
	{"sid = \"2001:db8::2\"; behavior = \"End\"; nexthop = \"fd00::1\";",
		".nexthop: End takes no \"nexthop\"; leave it out"},
	{"sid = \"2001:db8::2\"; behavior = \"End\"; vrf = \"r\";",
		".vrf: End takes no \"vrf\"; leave it out"},
	{"sid = \"2001:db8::2\"; behavior = \"End.X\"; port = \"a\";",
		": \"nexthop\" is missing; End.X needs it"},
	{"sid = \"2001:db8::2\"; behavior = \"End.X\"; nexthop = \"10.0.0.1\";",
		".nexthop: End.X needs an IPv6 address, not one of IPv4"},
	{"sid = \"2001:db8::2\"; behavior = \"End.X\"; nexthop = \"fe80::1\";",
		".nexthop: a link-local address needs \"port\" beside it"},
	{"sid = \"2001:db8::2\"; behavior = \"End.T\";", ": \"vrf\" is missing; End.T needs it"},
	{"sid = \"2001:db8::2\"; behavior = \"End.T\"; vrf = \"r\"; flavors = [ \"NEXT-C-SID\" ];",
		".flavors: NEXT-C-SID does not go with End.T; PSP, USP and USD do"},
	{"sid = \"2001:db8::2\"; behavior = \"End.T\"; vrf = \"r\"; port = \"a\";",
		".port: End.T takes no \"port\"; leave it out"},
	{"sid = \"2001:db8::2\"; behavior = \"End.DX2\";",
		": \"port\" is missing; End.DX2 needs it"},
	{"sid = \"2001:db8::2\"; behavior = \"End.DX2\"; port = \"a\"; nexthop = \"fd00::1\";",
		".nexthop: End.DX2 takes no \"nexthop\"; leave it out"},
	{"sid = \"2001:db8::2\"; behavior = \"End.DX4\"; port = \"a\";",
		": \"nexthop\" is missing; End.DX4 needs it"},
	{"sid = \"2001:db8::2\"; behavior = \"End.DX4\"; nexthop = \"fd00::1\";",
		".nexthop: End.DX4 needs an IPv4 address, not one of IPv6"},
	{"sid = \"2001:db8::2\"; behavior = \"End.DX6\"; nexthop = \"10.0.0.1\";",
		".nexthop: End.DX6 needs an IPv6 address, not one of IPv4"},
	{"sid = \"2001:db8::2\"; behavior = \"End.DT4\";",
		": \"vrf\" is missing; End.DT4 needs it"},
	{"sid = \"2001:db8::2\"; behavior = \"End.DT6\"; vrf = \"r\"; policy = \"p\";",
		".policy: End.DT6 takes no \"policy\"; leave it out"},
	{"sid = \"2001:db8::2\"; behavior = \"End.DT46\"; vrf = \"r\"; flavors = [ \"PSP\" ];",
		".flavors: End.DT46 takes no \"flavors\"; leave it out"},
	{"sid = \"2001:db8::2\"; behavior = \"End.B6.Encaps\";",
		": \"policy\" is missing; End.B6.Encaps needs it"},
	{"sid = \"2001:db8::2\"; behavior = \"End.B6.Encaps.Red\"; policy = \"p\"; vrf = \"r\";",
		".vrf: End.B6.Encaps.Red takes no \"vrf\"; leave it out"},
	{"sid = \"2001:db8::2\"; behavior = \"End\"; flavors = [ \"PSB\" ];",
		".flavors[0]: \"PSB\" is not a known flavor; one of PSP, USP, USD, NEXT-C-SID"},
	{"sid = \"2001:db8::2\"; behavior = \"End\"; flavors = [ \"PSP\", \"PSP\" ];",
		".flavors[1]: \"PSP\" is given twice; keep one"},
	{"sid = \"2001:db8::2\"; behavior = \"End\"; block_bits = 32; csid_bits = 16;",
		".block_bits: only with the flavor NEXT-C-SID; add it or leave this out"},
	{"sid = \"2001:db8::2\"; behavior = \"End\"; block_bits = 32;",
		": \"csid_bits\" is missing"},
	{"sid = \"2001:db8::2\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\" ];",
		": \"block_bits\" and \"csid_bits\" are missing; NEXT-C-SID needs them"},
	{"sid = \"2001:db8::2\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\" ]; csid_bits = 16;",
		": \"block_bits\" is missing"},
	{"sid = \"2001:db8:2::\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\" ]; block_bits = "
	 "36; csid_bits = 16;",
		".block_bits: 36 is not a multiple of 8"},
	{"sid = \"2001:db8:2::\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\" ]; block_bits = "
	 "32; csid_bits = 12;",
		".csid_bits: 12 is not a multiple of 8"},
	{"sid = \"2001:db8:2::\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\" ]; block_bits = "
	 "96; csid_bits = 32;",
		".csid_bits: \"block_bits\" and \"csid_bits\" make 128; at most 120, an argument "
		"follows"},
	{"sid = \"2001:db8:2::/64\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\" ]; block_bits "
	 "= 32; csid_bits = 16;",
		".sid: its length is 64, but \"block_bits\" and \"csid_bits\" make 48; did you "
		"mean /48?"},
	{"sid = \"2001:db8:2:1::\"; behavior = \"End\"; flavors = [ \"NEXT-C-SID\" ]; block_bits = "
	 "32; csid_bits = 16;",
		".sid: has bits past its length of 48; did you mean \"2001:db8:2::/48\"?"},
	{"sid = \"2001:db8::2\"; behavior = \"End\"; require_hmac = 1;",
		".require_hmac: must be true or false, not an integer"},
	{"sid = \"2001:db8::2\"; behavior = \"End.T\"; block_bits = 32; csid_bits = 16; vrf = "
	 "\"r\";",
		".block_bits: End.T takes no \"block_bits\"; leave it out"},
};

static const struct refused refused_policies[] = {
	{"segments = [ \"fd00::1\" ];", ": \"name\" is missing"},
	{"name = \"p\";", ": one of \"segments\", \"segment_lists\" is missing"},
	{"name = \"p\"; segments = [ ];", ".segments: a segment list needs at least one segment"},
	{"name = \"p\"; segments = [ \"10.0.0.1\" ];",
		".segments[0]: \"10.0.0.1\" is not an IPv6 address"},
	{"name = \"p\"; segments = [ \"fd00::1\" ]; segment_lists = ({ segments = [ \"fd00::1\" ]; "
	 "});",
		": \"segments\" and \"segment_lists\" exclude each other; keep one of them"},
	{"name = \"p\"; segment_lists = ( );",
		".segment_lists: a policy needs at least one segment list"},
	{"name = \"p\"; segment_lists = ({ weight = 1; });",
		".segment_lists[0]: \"segments\" is missing"},
	{"name = \"p\"; segment_lists = ({ weight = 65536; });",
		".segment_lists[0].weight: 65536 is out of range; 1 to 65535"},
	{"name = \"p\"; headend = \"H.Insert\";",
		".headend: \"H.Insert\" is not a known headend; one of H.Encaps, H.Encaps.Red, "
		"H.Encaps.L2, H.Encaps.L2.Red"},
	{"name = \"p\"; source = \"x\";", ".source: \"x\" is not an IPv6 address"},
	{"name = \"p\"; hop_limit = 0;", ".hop_limit: 0 is out of range; 1 to 255"},
	{"name = \"p\"; hop_limit = 256;", ".hop_limit: 256 is out of range; 1 to 255"},
	{"name = \"p\"; dscp = 64;", ".dscp: 64 is out of range; 0 to 63"},
	{"name = \"p\"; dscp = \"keep\";", ".dscp: must be \"copy\" or 0 to 63"},
	{"name = \"p\"; dscp = true;", ".dscp: must be an integer, not a boolean"},
	{"name = \"p\"; hmac_key_id = 0;", ".hmac_key_id: 0 is out of range; 1 to 4294967295"},
	{"name = \"p/q\";",
		".name: \"p/q\" is not a name; 1 to 63 letters, digits, '-', '_' and '.'"},
	{"name = \"p\"; segments = [ \"fd00::1\", \"fd00::1\", \"fd00::1\", \"fd00::1\", "
	 "\"fd00::1\", \"fd00::1\", \"fd00::1\", \"fd00::1\", \"fd00::1\", \"fd00::1\", "
	 "\"fd00::1\", \"fd00::1\", \"fd00::1\", \"fd00::1\", \"fd00::1\", \"fd00::1\", "
	 "\"fd00::1\" ];",
		".segments: 17 entries; at most 16"},
};

static const struct refused refused_hmac_keys[] = {
	{"secret = \"hunter2\";", ": \"id\" is missing"},
	{"id = 1;", ": one of \"secret\", \"secret_hex\" is missing"},
	{"id = 0; secret = \"hunter2\";", ".id: 0 is out of range; 1 to 4294967295"},
	{"id = 4294967296L; secret = \"hunter2\";",
		".id: 4294967296 is out of range; 1 to 4294967295"},
	{"id = 1; secret = \"hunter2\"; secret_hex = \"00\";",
		": \"secret\" and \"secret_hex\" exclude each other; keep one of them"},
	{"id = 1; algorithm = \"md5\"; secret = \"hunter2\";",
		".algorithm: \"md5\" is not a known algorithm; one of sha256, sha1"},
	{"id = 1; secret = \"\";", ".secret: a secret is 1 to 64 bytes, not 0"},
	{"id = 1; secret = "
	 "\"hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2\";",
		".secret: a secret is 1 to 64 bytes, not 70"},
	{"id = 1; secret_hex = \"hunter2\";",
		".secret_hex: a secret is 1 to 64 bytes, two hexadecimal digits each"},
	{"id = 1; secret_hex = \"\";",
		".secret_hex: a secret is 1 to 64 bytes, two hexadecimal digits each"},
	{"id = 1; secret_hex = "
	 "\"abababababababababababababababababababababababababababababababababababababababababababa"
	 "bababababababababababababababababababababab\";",
		".secret_hex: a secret is 1 to 64 bytes, two hexadecimal digits each"},
	{"id = 1; secret = 7;", ".secret: must be a string in quotes, not an integer"},
};

static const struct refused refused_ports[] = {
	{"mtu = 67;", ".mtu: 67 is out of range; 68 to 65535"},
	{"mtu = 65536;", ".mtu: 65536 is out of range; 68 to 65535"},
	{"rx_queues = 65;", ".rx_queues: 65 is out of range; 0 to 64"},
	{"adresses = [ ];", ".adresses: unknown key; did you mean \"addresses\"?"},
	{"addresses = [ \"10.0.0.1\" ];",
		".addresses[0]: \"10.0.0.1\" is not an address with its prefix length; write "
		"\"10.0.0.1/24\" or \"2001:db8::1/64\""},
	{"addresses = [ \"10.0.0.1/33\" ];",
		".addresses[0]: \"10.0.0.1/33\" is not an address with its prefix length; write "
		"\"10.0.0.1/24\" or \"2001:db8::1/64\""},
	{"addresses = [ \"10.0.0.1/24\" ];\n l2_policy = \"p\";",
		": \"l2_policy\" and \"addresses\" exclude each other; keep one of them"},
	{"vlans = ({ mtu = 1500; });", ".vlans[0]: \"id\" is missing"},
	{"vlans = ({ id = 4095; });", ".vlans[0].id: 4095 is out of range; 1 to 4094"},
	{"vlans = ({ id = 0; });", ".vlans[0].id: 0 is out of range; 1 to 4094"},
	{"vlans = ({ id = 7; vrf = \"r\"; l2_policy = \"p\"; });",
		".vlans[0]: \"l2_policy\" and \"vrf\" exclude each other; keep one of them"},
	{"sr_trusted = \"yes\";", ".sr_trusted: must be true or false, not a string"},
};

static void conf_refusal_of_texts(void **state)
{
	(void)state;
	check_refusals(refused_texts, N(refused_texts), "", "", "");
}

static void conf_refusal_of_ports(void **state)
{
	(void)state;
	check_refusals(refused_ports, N(refused_ports),
		"ports = ({ name = \"a\"; device = \"net_null0\"; ", " });", "f:1: ports[0]");
}

static void conf_refusal_of_routes(void **state)
{
	(void)state;
	check_refusals(refused_routes, N(refused_routes), "vrfs = ({ name = \"r\"; routes = (\n{ ",
		" }\n); });", "f:2: vrfs[0].routes[0]");
}

static void conf_refusal_of_sids(void **state)
{
	(void)state;
	check_refusals(refused_sids, N(refused_sids),
		"srv6 = { sids = (\n{ sid = \"2001:db8::1\"; behavior = \"End\"; },\n{ ",
		" }\n); };", "f:3: srv6.sids[1]");
}

static void conf_refusal_of_policies(void **state)
{
	(void)state;
	check_refusals(refused_policies, N(refused_policies), "srv6 = { policies = (\n{ ",
		" }\n); };", "f:2: srv6.policies[0]");
}

static void conf_refusal_of_hmac_keys_tells_no_secret(void **state)
{
	(void)state;
	check_refusals(refused_hmac_keys, N(refused_hmac_keys), "srv6 = { hmac_keys = (\n{ ",
		" }\n); };", "f:2: srv6.hmac_keys[0]");
	for (size_t i = 0; i < N(refused_hmac_keys); i++)
		assert_null(strstr(refused_hmac_keys[i].refusal, "hunter"));
}

static void conf_refusal_of_nul_byte(void **state)
{
	static const char text[] = "hostname = \"a\";\0hostname";
	struct refusal refusal = {0};
	struct node_spec *spec = NULL;

	(void)state;
	assert_int_equal(conf_load_text(text, sizeof(text) - 1, "f", &spec, &refusal), -EINVAL);
	assert_string_equal(refusal.text, "f: is not a text: it holds a NUL byte");
}

// One line, however long and strange the values are.
static void conf_refusal_is_cut_to_its_bounds(void **state)
{
	char text[1024];
	struct refusal refusal = {0};
	struct node_spec *spec = NULL;

	(void)state;
	snprintf(text, sizeof(text), "ports = ({ %0600d = 1; });", 0);
	memset(text + strlen("ports = ({ "), 'k', 600);
	assert_int_equal(conf_load_text(text, strlen(text), "f", &spec, &refusal), -EINVAL);
	assert_non_null(strstr(refusal.text, "kkk: unknown key; one of name, device"));
	snprintf(text, sizeof(text), "log_level = \"%0600d\";", 0);
	assert_int_equal(conf_load_text(text, strlen(text), "f", &spec, &refusal), -EINVAL);
	assert_non_null(strstr(refusal.text, "000...\" is not a known log_level; one of error"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_refusal_of_texts),
		cmocka_unit_test(conf_refusal_of_ports),
		cmocka_unit_test(conf_refusal_of_routes),
		cmocka_unit_test(conf_refusal_of_sids),
		cmocka_unit_test(conf_refusal_of_policies),
		cmocka_unit_test(conf_refusal_of_hmac_keys_tells_no_secret),
		cmocka_unit_test(conf_refusal_of_nul_byte),
		cmocka_unit_test(conf_refusal_is_cut_to_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
