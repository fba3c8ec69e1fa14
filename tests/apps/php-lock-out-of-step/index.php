<?php echo 'never seen';
