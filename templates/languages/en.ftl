### Every string of pages and mails, in English. The other languages have the same messages with the same variables;
### a test holds that. What a variable is stands in the comment above. No string may hold markup: it is shown as text.

## The language itself

# Its own name, as it stands in the list readers choose from.
language-name = English
# What stands between 1 and 5 in "1.5".
decimal-mark = .

## Numbers and counts
## $count: how many posts; $periods: how many weeks, months or quarters; $per: week, month or quarter.

number = { $count ->
    [1] one
    [2] two
    [3] three
    [4] four
    [5] five
    [6] six
    [7] seven
    [8] eight
    [9] nine
    [10] ten
    [11] eleven
    [12] twelve
   *[other] { $count }
  }
# The same where no noun follows: "and one from before".
number-alone = { number }
posts = { $count ->
    [0] no posts
    [one] { number } post
   *[other] { number } posts
  }
posts-digits = { $count ->
    [one] { $count } post
   *[other] { $count } posts
  }
periods = { $per ->
    [week] { $periods ->
        [one] { $periods } week
       *[other] { $periods } weeks
      }
    [quarter] { $periods ->
        [one] { $periods } quarter
       *[other] { $periods } quarters
      }
    [year] { $periods ->
        [one] { $periods } year
       *[other] { $periods } years
      }
   *[month] { $periods ->
        [one] { $periods } month
       *[other] { $periods } months
      }
  }
# As in "9 posts in 8 months".
in-periods = in { periods }
a-per = { $per ->
    [week] a week
    [quarter] a quarter
    [year] a year
   *[month] a month
  }
# Begins a sentence.
this-per = { $per ->
    [week] This week
    [quarter] This quarter
    [year] This year
   *[month] This month
  }
# Before the last name of a list: "Ann, Bo and Cy". $first: "Ann, Bo".
list-and = { $first } and { $last }

## The calendar
## $day, $month (1 to 12), $quarter (1 to 4), $week, $year

month = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
  }
month-short = { $month ->
    [1] Jan
    [2] Feb
    [3] Mar
    [4] Apr
    [5] May
    [6] Jun
    [7] Jul
    [8] Aug
    [9] Sep
    [10] Oct
    [11] Nov
   *[12] Dec
  }
day = { $day } { month } { $year }
period = { $per ->
    [week] week { $week } of { $year }
    [quarter] { $quarter ->
        [1] first quarter of { $year }
        [2] second quarter of { $year }
        [3] third quarter of { $year }
       *[4] fourth quarter of { $year }
      }
    [year] { $year }
   *[month] { month } { $year }
  }
# At most five letters: it stands under a narrow column.
period-short = { $per ->
    [week] W{ $week }
    [quarter] Q{ $quarter }
    [year] { $year }
   *[month] { month-short }
  }

## The goal

goal-heading = The goal
# What a goal without a name of its own is called at the beginning of its sentence.
goal-name = Goal
goal-aim = { $name }: { posts } { a-per }.
goal-none = No post yet.
goal-begins = It begins with { period }.
# $standing: ahead, behind or pace; $by: by how many posts.
goal-standing = { posts-digits } { in-periods } – { $standing ->
    [ahead] { $by } ahead
    [behind] { $by } behind
   *[pace] on pace
  }.
goal-paused = { this-per } is a pause.
goal-met = { this-per } is met: { posts-digits }.
# $days: days left; $published of $goal posts are there, $planned have a date later in the period.
goal-open = { this-per } is open: { $days ->
    [0] today is the last day
    [1] today is the last day
   *[other] { $days } days left
  }, { $published ->
    [0] none yet
   *[other] { $published } of { $goal } so far
  }{ $planned ->
    [0] { "" }
   *[other] , { $planned } planned
  }.
state = { $state ->
    [met] met
    [missed] missed
    [paused] paused
   *[open] open
  }
# What each number on the goal's page is called, and how it reads.
fact-published = published
    .value = { $published } of { $target }
fact-met = goal met
    .value = { $met } of { periods }
fact-streak = streak
    .value = { periods }, longest { $longest }
fact-gap = longest gap
fact-average = average
    .value = { $average } { a-per }
fact-forecast = forecast
    .value = { $forecast } this year
fact-due = next due
goal-table = Period by period, the latest first
goal-column-period = Period
goal-column-posts = Posts
goal-column-goal = Goal
goal-column-state = State
goal-unset = No goal has been set.
# Before the names of file formats.
goal-data = As data:
goal-data-chart = chart
goal-data-badge = badge
goal-data-calendar = calendar
# The chart. $name: the goal's.
chart-title = Posts { a-per } against the goal
chart-title-named = { $name }: posts { a-per } against the goal
chart-period = { $period }: { posts-digits }, { state }
chart-goal = goal: { $count } { a-per }
chart-empty = Nothing to count yet
# The goal's page.
history-title = Posts { a-per }, all of them
curve-title = Published and promised, added up
curve-published = published
curve-target = promised
goal-grid = Year by year
goal-grid-caption = One cell a period, with its posts behind it
goal-grid-year = Year
goal-authors = Who writes
# $percent: of all posts, which may have several authors.
goal-share = { posts-digits }, { $percent } %
goal-more = and { $count ->
    [one] one more
   *[other] { $count } more
  }
goal-next = What comes next
# $date: a day.
goal-due = The next post is due on { $date }.
goal-scheduled = Planned
goal-drafts = In the making
# $words: how many; $days: how old the draft is.
draft-facts = { $words ->
    [one] one word
   *[other] { $words } words
  }, { $days ->
    [0] touched today
    [one] one day old
   *[other] { $days } days old
  }
# Behind a post that came after its period had closed.
goal-late = came late
goal-all = The latest periods as a table
goal-nothing = Nothing was published.
goal-earlier = Earlier: { $period }
goal-later = Later: { $period }
goal-whole = The whole goal

## All pages

page-skip = Skip to the text
page-nav = Pages
page-blog = Blog
page-subscribe = Subscribe
# $title: the blog's
page-editions-feed = { $title }: editions
home-latest = Latest posts
home-none = No posts yet.
feeds-heading = Feeds
feeds-lead = A feed reader shows new posts as they come. Copy one of these addresses into yours: there is no account, and nobody is told who reads.
feed-page-lead = Copy one of these addresses into a feed reader, and new posts come to you.
feed-page-posts = Posts
feeds-all = All feeds
feeds-mail = The digest by mail
feeds-opml = All of them in one file (OPML)
feed-banner = This is a web feed. Copy its address from the address bar into a feed reader, and new posts come to you.
# $kind: which kind of feeds follow.
feeds-group = { $kind ->
    [tag] Tags
    [author] Authors
    [category] Categories
    [section] Sections
    [language] Languages
    [extra] More
   *[all] The blog
  }
home-feeds = Or in a feed reader:
home-feeds-only = In a feed reader:
home-feeds-all = Every topic and author has a feed, too
home-goal-more = More about the goal
editions-heading = Editions
editions-none = The first digest has not been sent yet.

## Subscribing

subscribe-heading = Subscribe
subscribe-promise = One mail a month with what was published, and nothing else. Leaving takes one click.
subscribe-next = We send you a mail with a link. Only when you have followed it are you subscribed.
subscribe-email = Your mail address
subscribe-button = Subscribe
# The label of a field that people do not see and programs fill in.
subscribe-trap = Please leave this field empty
# Why a text is no mail address.
address-empty = Please enter your mail address.
address-control = There is a character in this address that cannot be typed. Please enter it anew.
address-no-at = There is no @ in this address. It should look like name@example.org.
address-long-local = The part before the @ is longer than 64 characters, which no mail server takes.
address-long = This address is longer than 254 characters, which no mail server takes.
address-syntax = This is not a mail address. It should look like name@example.org.
address-foreign-local = The part before the @ has letters that most mail servers cannot take.
address-no-dot = The part after the @ has no dot. It should look like example.org.
address-domain = The part after the @ is not a domain. It should look like example.org.

## What is said when something is done

said-look-into-mailbox = Look into your mailbox
    .text = If we can write to this address, a mail is on its way. Follow the link in it within three days. If nothing comes, it may lie among the spam.
said-confirmed = You are subscribed
    .text = The next digest will find you in your mailbox.
said-unsubscribed = Unsubscribed
    .text = You will get no more digests. Thank you for having read them.
said-saved = Saved
    .text = From now on you get what you chose.
said-data-sent = A mail is on its way
    .text = It brings you everything we keep about you, as a file.
said-erased = Everything is deleted
    .text = What we kept about you is gone. All that is left is a code made from your address, which does not lead back to it: it makes sure that no old list can sign you up again.
said-address-mail-sent = Look into your new mailbox
    .text = If we can write to this address, a mail with a link is on its way. Until you have followed it, digests go to the old address.
said-address-moved = Your address has been changed
    .text = From now on digests come to the new one.
said-address-taken = This address gets the digest already
    .text = It has a subscription of its own, so nothing has changed. To stop the digests at the old address, use the link at the end of one of them.
said-link-sent = Look into your mailbox
    .text = A mail with a new link is on its way.

## What is asked before anything happens. $title: the blog's

ask-confirm = Subscribe to { $title }?
    .text = One more click, and the next digest comes to you.
    .button = Yes, subscribe me
ask-move-address = Use this address from now on?
    .text = Digests will come to the address this link was sent to, and no longer to the old one.
    .button = Use this address
ask-unsubscribe = Unsubscribe
    .text = You will get no more digests.
    .button = Unsubscribe
ask-new-link = This link is too old
    .text = A link to what you get works for 30 days. We can mail you a new one.
    .button = Mail me a new link

## What a reader chooses

preferences-heading = What you get
# $address: with most of its letters left out
preferences-for = For { $address }
preferences-inactive = You are not subscribed at the moment, so nothing is sent to you.
preferences-again = Subscribe again
preferences-frequency = How often
preferences-monthly = Once a month
preferences-quarterly = Once a quarter
preferences-post = Each post by itself, as it is published
preferences-tags = Topics
preferences-authors = Authors
preferences-all = If you tick nothing, you get everything.
preferences-pause = Pause until
preferences-no-pause = No pause
preferences-language = Language
preferences-save = Save
preferences-address = Change your address
    .text = We send a link to the new address. It counts once you have followed it.
preferences-new-address = New mail address
preferences-address-button = Send the link
preferences-data = Your data
    .text = Everything we keep about you, as a file, to your mailbox.
preferences-data-button = Mail me my data
preferences-leave = Unsubscribe
    .text = No more digests, from this moment on.
preferences-leave-button = Unsubscribe
preferences-erase = Delete everything
    .text = You are unsubscribed, and all we keep about you is deleted. This cannot be undone.
preferences-sure = Yes, delete everything you keep about me
preferences-erase-button = Delete everything

## When there is no answer

refused-not-found = Not found
    .text = There is nothing at this address. It may have moved, or never been here.
refused-gone = Taken back
    .text = The post that stood at this address has been taken back by its authors. The others are still here.
refused-no-goal = No goal yet
    .text = This blog has not set itself a goal, so there is nothing to show here.
refused-link = This link does not work
    .text = It is not valid, or not any more. Mail programs sometimes cut long links: please try the whole one from your newest digest.
refused-body = That was not understood
    .text = Nothing was changed. Please follow the link in your mail again and use its button.
refused-method = Not possible here
    .text = This address can be read, and that is all.
refused-too-large = Too large
    .text = That is more than is needed here. Nothing was changed.
refused-starting = Just a moment
    .text = The blog is being read for the first time. Please try again shortly.
refused-not-now = Not right now
    .text = This did not work, and it will pass. Please try again in a minute.
refused-broken = Something broke
    .text = That is our mistake, and it has been noted. Please try again later.
refused-unsupported-media = That was not understood
    .text = It was sent in a form we cannot read. Nothing was changed.
refused-too-many = Too often
    .text = There were too many attempts, and nothing was done this time. Please try again in an hour.

## Mails about a subscription. $title: the blog's

notice-confirm = Please confirm: { $title }
    .heading = Do you want the digest?
    .text = Somebody, we hope it was you, gave this address to get the digest of { $title } by mail.
    .button = Yes, subscribe me
    .after = The link works for three days. If it was not you, do nothing: you will hear no more of it, and nothing is sent to you.
notice-move-address = Your new address for { $title }
    .heading = Is this your new address?
    .text = A reader of { $title } wants to get the digest at this address from now on.
    .button = Yes, use this address
    .after = The link works for three days. If it was not you, do nothing: nothing changes, and nothing is sent to you.
notice-already = You are subscribed to { $title }
    .heading = You are subscribed already
    .text = Somebody, probably you, asked to subscribe this address to { $title }. It is subscribed, and nothing has changed.
    .button = Choose what you get
    .after = If it was not you, you need not do anything.
notice-link = Your link for { $title }
    .heading = Your new link
    .text = Here you choose what { $title } sends you, or leave.
    .button = Choose what you get
    .after = The link works for 30 days, for everybody who has it: please do not pass this mail on.
notice-data = Your data at { $title }
    .heading = Your data
    .text = The attached file holds everything { $title } keeps about you.
    .button = Choose what you get
    .after = You asked for it on the page with your choices. There you can also have everything deleted.
notice-footer = This mail was sent once, because it was asked for at { $title }.

## The digest
## $name: the reader's, with a space before it, or nothing. $period: "May 2021". $count: how many posts

digest-hello = Hello{ $name },
digest-summary = { posts } from { $period }.
# $late: "one", "two", as in `number-alone`
digest-summary-late = { posts } from { $period }, and { $late } from before.
digest-summary-missed = { posts } you may have missed.
digest-summary-none = No new posts in { $period }.
digest-summary-post = A new post on { $title }.
digest-summary-welcome = You are subscribed.
digest-intro = here is what was published.
digest-intro-late = nothing new this time, but there is something you may have missed.
digest-intro-none = it was a quiet one: no new posts. The next one will find you here.
digest-intro-post = this has just been published.
# What a mail's subject is unless `digest.subject` says otherwise. $lead: the first post's title; $more: how many others.
digest-subject = { $more ->
    [0] { $lead }: { $title }, { $month }
   *[other] { $lead }, and { $more } more: { $title }, { $month }
  }
digest-subject-none = { $title }: { $month }
# $post: the post's title
digest-post-subject = { $post } ({ $title })
digest-welcome-subject = Welcome to { $title }
digest-welcome = welcome, and thank you for subscribing to { $title }. So that you need not wait for the next digest, here is the latest one.
digest-welcome-none = welcome, and thank you for subscribing to { $title }. As soon as there is something new to read, it will come to you here.
digest-minutes = { $minutes } min
digest-late = Also published
digest-corrected = Corrected since
digest-withdrawn = taken back
digest-more = And { $count } more
digest-legend = The dotted line is the goal.
digest-goal-link = How the goal stands
digest-drafts = In the making
# Before the link beside it.
digest-forwarded = Did somebody pass this on to you?
digest-forwarded-link = Get the next one yourself
digest-why = You get this because you subscribed to { $title }.
digest-selection = You chose only some of the topics or authors, so this may not be all there was.
digest-web = Read it on the web
digest-archive = Earlier digests
digest-preferences = Choose what you get
digest-unsubscribe = Unsubscribe
digest-read = Read the whole post
# The same in the text part, with the address in sight.
digest-text-more = And { $count } more: { $url }
digest-text-read = Read the whole post: { $url }
digest-text-forwarded = Passed on to you? Get the next one yourself: { $url }
digest-text-blog = Blog: { $url }
digest-text-web = This digest on the web: { $url }
digest-text-archive = Earlier digests: { $url }
digest-text-preferences = What you get: { $url }
digest-text-unsubscribe = Unsubscribe: { $url }

## When the pre-flight keeps an edition back: a mail to editors
## $edition: "May 2021"; $title: the blog's. What was found is added in English, as `gazetted digest check` has it.

preflight-letter = The digest of { $edition } has not gone out: { $title }
    .heading = Kept back: { $edition }
    .text = The pre-flight check found something that must not be mailed, so nothing has been sent. It is tried again as soon as you mend it; `gazetted digest open --despite-findings` sends it all the same.
    .red = Must be mended
    .amber = Could be better
    .because = You get this because you are an editor of { $title }.

## Letters to editors
## $title: the blog's. $days: how many are left, today included. $period: "July 2021". $count: how many posts are missing.

nudge-left = { $days ->
    [0] today is the last day
    [1] today is the last day
   *[other] { $days } days left
  }
nudge-subject = { $title }: { nudge-left }, { posts } to go for { $period }
nudge-subject-named = { $title }, { $name }: { nudge-left }, { posts } to go for { $period }
nudge-nearest = Nearest to done
nudge-no-draft = No draft is in the making.
nudge-button = How the goal stands
editors-because = You get this because you are an editor of { $title }; what is sent, and when, is set under [nudge] in its configuration.
closed-subject = { $title }: how { $period } closed
closed-posts = Published
closed-subscribers = Subscribers
# $active: how many there are; $joined, $left: in that month.
closed-subscribers-text = { $active } { $active ->
    [one] subscriber
   *[other] subscribers
  }: { $joined } joined and { $left } left during the month.

# What editors are asked when an edition waits for their word. $subject: the digest's own; $period: `May 2021`.
approval-subject = [Preview] { $subject }
approval-heading = A preview, for editors only
approval-text = This is how the digest of { $period } would go out now. No reader gets it before one of you releases it.
approval-button = Look at it and release it
approval-reminder = The digest of { $period } still waits
approval-reminder-text = It has waited for three days. No reader gets it before one of you releases it.
approval-because = You get this because you are named as an editor of this digest.
