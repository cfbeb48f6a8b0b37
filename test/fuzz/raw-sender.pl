# Sends IPv4 packets as they stand: standard input is a sequence of a length (two bytes, network order) and a packet.
# Prints how many were sent and how many the system refused. Exits 3 with a line when it may not open a raw socket.
use strict;
use warnings;
use Socket;

# IPPROTO_RAW: the IP header comes with the packet.
my $raw;
unless (socket($raw, AF_INET, SOCK_RAW, 255)) {
  print STDERR "$!\n";
  exit 3;
}
my $to = sockaddr_in(0, inet_aton('127.0.0.1'));
my ($sent, $refused) = (0, 0);
binmode STDIN;
while (defined(my $got = read(STDIN, my $head, 2))) {
  last if $got < 2;
  my $length = unpack('n', $head);
  my $read = read(STDIN, my $packet, $length);
  last if !defined $read || $read < $length;
  if (defined send($raw, $packet, 0, $to)) { $sent++ } else { $refused++ }
}
print "$sent $refused\n";
