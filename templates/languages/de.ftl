### Jede Zeile von Seiten und Mails auf Deutsch. Was die Variablen bedeuten, steht in en.ftl. Leser werden geduzt;
### „digest“ heißt Rundbrief, „post“ Beitrag, „edition“ Ausgabe.

## Die Sprache selbst

language-name = Deutsch
decimal-mark = ,

## Zahlen und Mengen

number = { $count ->
    [1] ein
    [2] zwei
    [3] drei
    [4] vier
    [5] fünf
    [6] sechs
    [7] sieben
    [8] acht
    [9] neun
    [10] zehn
    [11] elf
    [12] zwölf
   *[other] { $count }
  }
number-alone = { $count ->
    [1] einer
   *[other] { number }
  }
posts = { $count ->
    [0] keine Beiträge
    [one] { number } Beitrag
   *[other] { number } Beiträge
  }
posts-digits = { $count ->
    [one] { $count } Beitrag
   *[other] { $count } Beiträge
  }
periods = { $per ->
    [week] { $periods ->
        [one] { $periods } Woche
       *[other] { $periods } Wochen
      }
    [quarter] { $periods ->
        [one] { $periods } Quartal
       *[other] { $periods } Quartale
      }
    [year] { $periods ->
        [one] { $periods } Jahr
       *[other] { $periods } Jahre
      }
   *[month] { $periods ->
        [one] { $periods } Monat
       *[other] { $periods } Monate
      }
  }
in-periods = { $per ->
    [week] { $periods ->
        [one] in { $periods } Woche
       *[other] in { $periods } Wochen
      }
    [quarter] { $periods ->
        [one] in { $periods } Quartal
       *[other] in { $periods } Quartalen
      }
    [year] { $periods ->
        [one] in { $periods } Jahr
       *[other] in { $periods } Jahren
      }
   *[month] { $periods ->
        [one] in { $periods } Monat
       *[other] in { $periods } Monaten
      }
  }
a-per = { $per ->
    [week] pro Woche
    [quarter] pro Quartal
    [year] pro Jahr
   *[month] pro Monat
  }
this-per = { $per ->
    [week] Diese Woche
    [quarter] Dieses Quartal
    [year] Dieses Jahr
   *[month] Dieser Monat
  }
list-and = { $first } und { $last }

## Der Kalender

month = { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
  }
month-short = { $month ->
    [1] Jan
    [2] Feb
    [3] März
    [4] Apr
    [5] Mai
    [6] Juni
    [7] Juli
    [8] Aug
    [9] Sep
    [10] Okt
    [11] Nov
   *[12] Dez
  }
day = { $day }. { month } { $year }
period = { $per ->
    [week] { $week }. Kalenderwoche { $year }
    [quarter] { $quarter ->
        [1] erstes Quartal { $year }
        [2] zweites Quartal { $year }
        [3] drittes Quartal { $year }
       *[4] viertes Quartal { $year }
      }
    [year] { $year }
   *[month] { month } { $year }
  }
period-short = { $per ->
    [week] KW{ $week }
    [quarter] Q{ $quarter }
    [year] { $year }
   *[month] { month-short }
  }

## Das Ziel

goal-heading = Das Ziel
goal-name = Ziel
goal-aim = { $name }: { posts } { a-per }.
goal-none = Noch kein Beitrag.
goal-begins = Es beginnt mit { period }.
goal-standing = { posts-digits } { in-periods } – { $standing ->
    [ahead] { $by } voraus
    [behind] { $by } zurück
   *[pace] im Plan
  }.
goal-paused = { this-per } ist eine Pause.
goal-met = { $per ->
    [week] Das Ziel dieser Woche
    [quarter] Das Ziel dieses Quartals
    [year] Das Ziel dieses Jahres
   *[month] Das Ziel dieses Monats
  } ist erreicht: { posts-digits }.
goal-open = { this-per } läuft: { $days ->
    [0] heute ist der letzte Tag
    [1] heute ist der letzte Tag
   *[other] noch { $days } Tage
  }, { $published ->
    [0] bisher kein Beitrag
   *[other] bisher { $published } von { $goal }
  }{ $planned ->
    [0] { "" }
   *[other] , { $planned } geplant
  }.
state = { $state ->
    [met] erreicht
    [missed] verfehlt
    [paused] Pause
   *[open] offen
  }
fact-published = erschienen
    .value = { $published } von { $target }
fact-met = Ziel erreicht
    .value = { $per ->
        [week] in { $met } von { $periods ->
            [one] { $periods } Woche
           *[other] { $periods } Wochen
          }
        [quarter] in { $met } von { $periods ->
            [one] { $periods } Quartal
           *[other] { $periods } Quartalen
          }
        [year] in { $met } von { $periods ->
            [one] { $periods } Jahr
           *[other] { $periods } Jahren
          }
       *[month] in { $met } von { $periods ->
            [one] { $periods } Monat
           *[other] { $periods } Monaten
          }
      }
fact-streak = in Folge
    .value = { periods }, längste Serie { $longest }
fact-gap = längste Lücke
fact-average = Durchschnitt
    .value = { $average } { a-per }
fact-forecast = Prognose
    .value = { $forecast } in diesem Jahr
fact-due = nächster fällig am
goal-table = Zeitraum für Zeitraum, der neueste zuerst
goal-column-period = Zeitraum
goal-column-posts = Beiträge
goal-column-goal = Ziel
goal-column-state = Stand
goal-unset = Es ist kein Ziel gesetzt.
goal-data = Als Daten:
goal-data-chart = Diagramm
goal-data-badge = Plakette
goal-data-calendar = Kalender
chart-title = Beiträge { a-per } im Vergleich zum Ziel
chart-title-named = { $name }: Beiträge { a-per } im Vergleich zum Ziel
chart-period = { $period }: { posts-digits }, { state }
chart-goal = Ziel: { $count } { a-per }
chart-empty = Noch nichts zu zählen
# Die Seite des Ziels.
history-title = Alle Beiträge { a-per }
curve-title = Erschienen und versprochen, zusammengezählt
curve-published = erschienen
curve-target = versprochen
goal-grid = Jahr für Jahr
goal-grid-caption = Ein Feld je Zeitraum, dahinter seine Beiträge
goal-grid-year = Jahr
goal-authors = Wer schreibt
goal-share = { posts-digits }, { $percent } %
goal-more = und { $count ->
    [one] ein weiterer
   *[other] { $count } weitere
  }
goal-next = Was als Nächstes kommt
goal-due = Der nächste Beitrag ist am { $date } fällig.
goal-scheduled = Geplant
goal-drafts = In Arbeit
draft-facts = { $words ->
    [one] ein Wort
   *[other] { $words } Wörter
  }, { $days ->
    [0] heute bearbeitet
    [one] einen Tag alt
   *[other] { $days } Tage alt
  }
goal-late = nachgereicht
goal-all = Die letzten Zeiträume als Tabelle
goal-nothing = Es ist nichts erschienen.
goal-earlier = Davor: { $period }
goal-later = Danach: { $period }
goal-whole = Das ganze Ziel

## Alle Seiten

page-skip = Zum Text springen
page-nav = Seiten
page-blog = Blog
page-subscribe = Abonnieren
page-editions-feed = { $title }: Ausgaben
home-latest = Neueste Beiträge
home-none = Noch keine Beiträge.
feeds-heading = Feeds
feeds-lead = Ein Feedreader zeigt neue Beiträge, sobald sie erscheinen. Kopiere eine dieser Adressen in deinen: ohne Konto, und niemand erfährt, wer liest.
feed-page-lead = Kopiere eine dieser Adressen in einen Feedreader, und neue Beiträge kommen zu dir.
feed-page-posts = Beiträge
feeds-all = Alle Feeds
feeds-mail = Der Rundbrief per E-Mail
feeds-opml = Alle in einer Datei (OPML)
feed-banner = Das ist ein Feed. Kopiere seine Adresse aus der Adresszeile in einen Feedreader, und neue Beiträge kommen zu dir.
# $kind: which kind of feeds follow.
feeds-group = { $kind ->
    [tag] Schlagwörter
    [author] Autorinnen und Autoren
    [category] Kategorien
    [section] Bereiche
    [language] Sprachen
    [extra] Weitere
   *[all] Das Blog
  }
home-feeds = Oder im Feedreader:
home-feeds-only = Im Feedreader:
home-feeds-all = Auch jedes Thema und jede Autorin hat einen Feed
home-goal-more = Mehr über das Ziel
editions-heading = Ausgaben
editions-none = Der erste Rundbrief ist noch nicht verschickt.

## Abonnieren

subscribe-heading = Abonnieren
subscribe-promise = Eine Mail im Monat mit dem, was erschienen ist, und sonst nichts. Abbestellen geht mit einem Klick.
subscribe-next = Wir schicken dir eine Mail mit einem Link. Erst wenn du ihm gefolgt bist, hast du abonniert.
subscribe-email = Deine Mailadresse
subscribe-button = Abonnieren
subscribe-trap = Dieses Feld bitte frei lassen
address-empty = Bitte gib deine Mailadresse ein.
address-control = In dieser Adresse steckt ein Zeichen, das sich nicht tippen lässt. Bitte gib sie neu ein.
address-no-at = In dieser Adresse fehlt das @. Sie sollte aussehen wie name@example.org.
address-long-local = Der Teil vor dem @ hat mehr als 64 Zeichen; das nimmt kein Mailserver an.
address-long = Diese Adresse hat mehr als 254 Zeichen; das nimmt kein Mailserver an.
address-syntax = Das ist keine Mailadresse. Sie sollte aussehen wie name@example.org.
address-foreign-local = Im Teil vor dem @ stehen Buchstaben, mit denen die meisten Mailserver nicht umgehen können.
address-no-dot = Im Teil nach dem @ fehlt ein Punkt. Er sollte aussehen wie example.org.
address-domain = Der Teil nach dem @ ist keine Domain. Er sollte aussehen wie example.org.

## Wenn etwas getan ist

said-look-into-mailbox = Sieh in dein Postfach
    .text = Wenn wir an diese Adresse schreiben können, ist eine Mail unterwegs. Folge innerhalb von drei Tagen dem Link darin. Kommt nichts an, liegt sie vielleicht im Spam-Ordner.
said-confirmed = Du hast abonniert
    .text = Den nächsten Rundbrief findest du in deinem Postfach.
said-unsubscribed = Abbestellt
    .text = Du bekommst keine Rundbriefe mehr. Danke, dass du sie gelesen hast.
said-saved = Gespeichert
    .text = Ab jetzt bekommst du, was du ausgewählt hast.
said-data-sent = Eine Mail ist unterwegs
    .text = Sie bringt dir alles, was wir über dich gespeichert haben, als Datei.
said-erased = Alles ist gelöscht
    .text = Was wir über dich gespeichert hatten, ist weg. Geblieben ist nur ein Code, der aus deiner Adresse berechnet wurde und nicht zu ihr zurückführt: Er sorgt dafür, dass keine alte Liste dich wieder anmeldet.
said-address-mail-sent = Sieh in dein neues Postfach
    .text = Wenn wir an diese Adresse schreiben können, ist eine Mail mit einem Link unterwegs. Bis du ihm gefolgt bist, gehen Rundbriefe an die alte Adresse.
said-address-moved = Deine Adresse ist geändert
    .text = Von nun an kommen Rundbriefe an die neue.
said-address-taken = An diese Adresse geht der Rundbrief schon
    .text = Sie hat ein eigenes Abo, deshalb hat sich nichts geändert. Soll an die alte Adresse nichts mehr kommen, bestelle dort mit dem Link am Ende eines Rundbriefs ab.
said-link-sent = Sieh in dein Postfach
    .text = Eine Mail mit einem neuen Link ist unterwegs.

## Bevor etwas geschieht

ask-confirm = { $title } abonnieren?
    .text = Noch ein Klick, und der nächste Rundbrief kommt zu dir.
    .button = Ja, abonnieren
ask-move-address = Ab jetzt diese Adresse verwenden?
    .text = Rundbriefe kommen dann an die Adresse, an die dieser Link ging, und nicht mehr an die alte.
    .button = Diese Adresse verwenden
ask-unsubscribe = Abbestellen
    .text = Du bekommst dann keine Rundbriefe mehr.
    .button = Abbestellen
ask-new-link = Dieser Link ist zu alt
    .text = Ein Link zu deinen Einstellungen gilt 30 Tage. Wir können dir einen neuen schicken.
    .button = Neuen Link schicken

## Was Leser wählen

preferences-heading = Was du bekommst
preferences-for = Für { $address }
preferences-inactive = Zurzeit hast du nicht abonniert, also bekommst du nichts.
preferences-again = Wieder abonnieren
preferences-frequency = Wie oft
preferences-monthly = Einmal im Monat
preferences-quarterly = Einmal im Quartal
preferences-post = Jeden Beitrag einzeln, sobald er erscheint
preferences-tags = Themen
preferences-authors = Autorinnen und Autoren
preferences-all = Wenn du nichts ankreuzt, bekommst du alles.
preferences-pause = Pause bis
preferences-no-pause = Keine Pause
preferences-language = Sprache
preferences-save = Speichern
preferences-address = Adresse ändern
    .text = Wir schicken einen Link an die neue Adresse. Sie gilt, sobald du ihm gefolgt bist.
preferences-new-address = Neue Mailadresse
preferences-address-button = Link schicken
preferences-data = Deine Daten
    .text = Alles, was wir über dich gespeichert haben, als Datei in dein Postfach.
preferences-data-button = Meine Daten schicken
preferences-leave = Abbestellen
    .text = Keine Rundbriefe mehr, ab sofort.
preferences-leave-button = Abbestellen
preferences-erase = Alles löschen
    .text = Dein Abo endet, und alles, was wir über dich gespeichert haben, wird gelöscht. Das lässt sich nicht rückgängig machen.
preferences-sure = Ja, löscht alles, was ihr über mich gespeichert habt
preferences-erase-button = Alles löschen

## Wenn es keine Antwort gibt

refused-not-found = Nicht gefunden
    .text = Unter dieser Adresse gibt es nichts. Vielleicht ist es umgezogen, vielleicht war es nie hier.
refused-gone = Zurückgezogen
    .text = Der Beitrag, der unter dieser Adresse stand, wurde zurückgezogen. Die anderen sind noch da.
refused-no-goal = Noch kein Ziel
    .text = Dieses Blog hat sich kein Ziel gesetzt, also gibt es hier nichts zu zeigen.
refused-link = Dieser Link funktioniert nicht
    .text = Er ist ungültig oder gilt nicht mehr. Mailprogramme schneiden lange Links manchmal ab: Bitte versuch es mit dem ganzen Link aus deinem neuesten Rundbrief.
refused-body = Das haben wir nicht verstanden
    .text = Es wurde nichts geändert. Bitte folge noch einmal dem Link in deiner Mail und nimm den Knopf auf der Seite.
refused-method = Das geht hier nicht
    .text = Diese Adresse kann man lesen, mehr nicht.
refused-too-large = Zu groß
    .text = Das ist mehr, als hier gebraucht wird. Es wurde nichts geändert.
refused-starting = Einen Moment
    .text = Das Blog wird gerade zum ersten Mal gelesen. Bitte versuch es gleich noch einmal.
refused-not-now = Gerade nicht
    .text = Das hat nicht geklappt, aber es geht vorüber. Bitte versuch es in einer Minute noch einmal.
refused-broken = Etwas ist kaputt
    .text = Das ist unser Fehler, und er ist notiert. Bitte versuch es später noch einmal.
refused-unsupported-media = Das haben wir nicht verstanden
    .text = Es kam in einer Form, die wir nicht lesen können. Es wurde nichts geändert.
refused-too-many = Zu oft
    .text = Das waren zu viele Versuche, und diesmal ist nichts geschehen. Bitte versuch es in einer Stunde noch einmal.

## Mails rund um ein Abo

notice-confirm = Bitte bestätigen: { $title }
    .heading = Möchtest du den Rundbrief?
    .text = Jemand, hoffentlich du, hat diese Adresse angegeben, um den Rundbrief von { $title } per Mail zu bekommen.
    .button = Ja, abonnieren
    .after = Der Link gilt drei Tage. Wenn du es nicht warst, brauchst du nichts zu tun: Du hörst nichts mehr davon, und wir schicken dir nichts.
notice-move-address = Deine neue Adresse für { $title }
    .heading = Ist das deine neue Adresse?
    .text = Jemand liest { $title } und möchte den Rundbrief ab jetzt an diese Adresse bekommen.
    .button = Ja, diese Adresse verwenden
    .after = Der Link gilt drei Tage. Wenn du es nicht warst, brauchst du nichts zu tun: Es ändert sich nichts, und wir schicken dir nichts.
notice-already = Du hast { $title } abonniert
    .heading = Du hast schon abonniert
    .text = Jemand, wahrscheinlich du, wollte { $title } mit dieser Adresse abonnieren. Das Abo besteht schon, und nichts hat sich geändert.
    .button = Auswählen, was du bekommst
    .after = Wenn du es nicht warst, brauchst du nichts zu tun.
notice-link = Dein Link für { $title }
    .heading = Dein neuer Link
    .text = Hier wählst du aus, was { $title } dir schickt, oder bestellst ab.
    .button = Auswählen, was du bekommst
    .after = Der Link gilt 30 Tage, und zwar für alle, die ihn haben: Gib diese Mail bitte nicht weiter.
notice-data = Deine Daten bei { $title }
    .heading = Deine Daten
    .text = Die angehängte Datei enthält alles, was { $title } über dich gespeichert hat.
    .button = Auswählen, was du bekommst
    .after = Du hast sie auf der Seite mit deinen Einstellungen angefordert. Dort kannst du auch alles löschen lassen.
notice-footer = Diese Mail kommt nur einmal, weil sie bei { $title } angefordert wurde.

## Der Rundbrief

digest-hello = Hallo{ $name },
digest-summary = { $period }: { posts }.
digest-summary-late = { $period }: { posts }, dazu { $late } von früher.
digest-summary-missed = { posts }, die du vielleicht verpasst hast.
digest-summary-none = { $period }: keine neuen Beiträge.
digest-summary-post = Ein neuer Beitrag bei { $title }.
digest-summary-welcome = Du hast abonniert.
digest-intro = das ist erschienen.
digest-intro-late = diesmal gibt es nichts Neues, aber etwas, das du vielleicht verpasst hast.
digest-intro-none = diesmal war es ruhig: keine neuen Beiträge. Der nächste findet dich hier.
digest-intro-post = das ist gerade erschienen.
digest-subject = { $more ->
    [0] { $lead }: { $title }, { $month }
   *[other] { $lead }, und { $more } weitere: { $title }, { $month }
  }
digest-subject-none = { $title }: { $month }
digest-post-subject = { $post } ({ $title })
digest-welcome-subject = Willkommen bei { $title }
digest-welcome = willkommen, und danke, dass du { $title } abonniert hast. Damit du nicht auf den nächsten Rundbrief warten musst, kommt hier der letzte.
digest-welcome-none = willkommen, und danke, dass du { $title } abonniert hast. Sobald es etwas Neues zu lesen gibt, kommt es hier zu dir.
digest-minutes = { $minutes } Min.
digest-late = Außerdem erschienen
digest-corrected = Seither berichtigt
digest-withdrawn = zurückgezogen
digest-more = Und { $count } weitere
digest-legend = Die gepunktete Linie ist das Ziel.
digest-goal-link = Wie es um das Ziel steht
digest-drafts = In Arbeit
digest-forwarded = Hat dir das jemand weitergeleitet?
digest-forwarded-link = Den nächsten selbst bekommen
digest-why = Du bekommst diese Mail, weil du { $title } abonniert hast.
digest-selection = Du hast nur bestimmte Themen, Autorinnen oder Autoren gewählt; es kann also noch mehr erschienen sein.
digest-web = Im Web lesen
digest-archive = Frühere Rundbriefe
digest-preferences = Auswählen, was du bekommst
digest-unsubscribe = Abbestellen
digest-read = Den ganzen Beitrag lesen
digest-text-more = Und { $count } weitere: { $url }
digest-text-read = Den ganzen Beitrag lesen: { $url }
digest-text-forwarded = Weitergeleitet bekommen? Hier selbst abonnieren: { $url }
digest-text-blog = Blog: { $url }
digest-text-web = Dieser Rundbrief im Web: { $url }
digest-text-archive = Frühere Rundbriefe: { $url }
digest-text-preferences = Was du bekommst: { $url }
digest-text-unsubscribe = Abbestellen: { $url }

## Wenn eine Ausgabe vor dem Versand angehalten wird: Mail an die Redaktion

preflight-letter = Der Rundbrief ist nicht hinausgegangen: { $title }, { $edition }
    .heading = Angehalten: { $edition }
    .text = Die Prüfung vor dem Versand hat etwas gefunden, das nicht verschickt werden darf; deshalb ging nichts hinaus. Sobald es behoben ist, wird es wieder versucht; `gazetted digest open --despite-findings` verschickt es trotzdem.
    .red = Muss behoben werden
    .amber = Könnte besser sein
    .because = Du bekommst das, weil du zur Redaktion von { $title } gehörst.

## Briefe an die Redaktion

nudge-left = { $days ->
    [0] heute ist der letzte Tag
    [1] heute ist der letzte Tag
   *[other] noch { $days } Tage
  }
nudge-subject = { $title }: { nudge-left }, es fehlt für { $period }: { posts }
nudge-subject-named = { $title }, { $name }: { nudge-left }, es fehlt für { $period }: { posts }
nudge-nearest = Am nächsten an der Fertigstellung
nudge-no-draft = Es ist kein Entwurf in Arbeit.
nudge-button = Wie es um das Ziel steht
editors-because = Diese Mail kommt, weil du zur Redaktion von { $title } gehörst; was wann geschickt wird, steht unter [nudge] in der Konfiguration.
closed-subject = { $title }: so ging { $period } zu Ende
closed-posts = Erschienen
closed-subscribers = Abonnements
closed-subscribers-text = { $active } { $active ->
    [one] Abonnement
   *[other] Abonnements
  }: { $joined } neu und { $left } beendet in diesem Monat.

# What editors are asked when an edition waits for their word. $subject: the digest's own; $period: `Mai 2021`.
approval-subject = [Vorschau] { $subject }
approval-heading = Eine Vorschau, nur für die Redaktion
approval-text = So ginge die Ausgabe für { $period } jetzt hinaus. Niemand bekommt sie, bevor jemand von euch sie freigibt.
approval-button = Ansehen und freigeben
approval-reminder = Die Ausgabe für { $period } wartet noch
approval-reminder-text = Sie wartet seit drei Tagen. Niemand bekommt sie, bevor jemand von euch sie freigibt.
approval-because = Diese Mail kommt, weil diese Adresse bei der Redaktion eingetragen ist.
