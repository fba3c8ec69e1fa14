# Answers every request with what it was made of, and who it is.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{TERM} = sub { exit 0 };
my $server = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 16, ReuseAddr => 1) or die "no port: $!";
open(my $file, "<", "greeting") or die "no greeting: $!";
my $greeting = <$file>;
my $body = $greeting . "uid $> of $ENV{DYNO}, $ENV{WORD}\n";
while (1) {
    my $client = $server->accept or next;
    while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
    print $client "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    close $client;
}
