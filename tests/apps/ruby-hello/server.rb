require "bundler/setup"
require "greeter"
require "json"
require "socket"

server = TCPServer.new("0.0.0.0", Integer(ENV.fetch("PORT")))
trap("TERM") { exit! 0 }
loop do
  client = server.accept
  nil until client.gets.to_s.strip.empty?
  body = JSON.generate(greeting: Greeter.greet, rails: ENV["RAILS_ENV"], arena: ENV["MALLOC_ARENA_MAX"])
  client.write("HTTP/1.1 200 OK\r\nContent-Length: #{body.bytesize}\r\nConnection: close\r\n\r\n#{body}\n")
  client.close
end
