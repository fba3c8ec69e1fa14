module Greeter
  def self.greet
    "Hello from a gem of the app's own, Ruby #{RUBY_VERSION}"
  end
end
