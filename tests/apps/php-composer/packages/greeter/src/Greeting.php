<?php

namespace Greeter;

final class Greeting
{
    public static function to(string $name): string
    {
        return "Hello from a package, $name";
    }
}
