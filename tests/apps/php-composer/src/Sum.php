<?php

namespace App;

class Sum
{
    public static function of(string $a, string $b): string
    {
        return bcadd($a, $b, 2);
    }
}
