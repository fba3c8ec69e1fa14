require "openssl"
require "tally"

GREETING = "Hello from Rack"

run lambda { |_environment|
  said = "#{GREETING}, Ruby #{RUBY_VERSION}: #{Tally.add(40, 2)}, #{ENV.fetch("RACK_ENV")}, #{File.read("public/assets/said.txt")}\n"
  [200, { "content-type" => "text/plain" }, [said]]
}
