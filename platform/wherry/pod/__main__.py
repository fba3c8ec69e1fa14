from wherry.pod.main import main

raise SystemExit(main())
